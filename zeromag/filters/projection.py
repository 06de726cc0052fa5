"""Signal-space projection: take out the spatial patterns that interference was seen to have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.beat_gate import BeatGate
from zeromag.filters.external import orthonormal
from zeromag.filters.meter import KEEP, cost_of
from zeromag.filters.operator import Operator, Plan, SpatialStep, nothing
from zeromag.sensors import SensorArray
from zeromag.stage import Step

WINDOW_S = 0.1
T_OVER = 0.42  # s after R at 60 beats a minute; goes with the root of the time between beats
P_BEGINS = 0.22  # s before R
FEWEST = 4  # beats that make a rhythm
QUIET = 0.5  # of the windows where no rhythm is found: those that move least from sample to sample
SLOWEST = 60.0  # Hz, below which no beat can be found


@dataclass(frozen=True, slots=True)
class SignalSpaceProjection:
    """y ← (I - U Uᵀ) y on the `mag` channels (Uusitalo & Ilmoniemi 1997).

    `patterns` (vector, mag channel) come from `patterns_of` a recording of the empty room. Without them the first
    `count` principal patterns are learned from the first `learn` seconds between the beats; until then nothing is
    taken. A pattern is only projected out if nine tenths of the heart are left behind all of them; an event `cleaning`
    says how many were, and what the others would have taken.
    """

    patterns: tuple[tuple[float, ...], ...] = ()
    count: int = 2
    learn: float = 10.0  # s

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"a projection takes at least 1 pattern, got {self.count}")
        if not self.learn > 0:
            raise ValueError(f"learning takes more than 0 s, got {self.learn}")

    def start(self, head: Block) -> Step:
        """Return the running projection.

        Raises
        ------
        ValueError
            If the patterns do not fit the array's `mag` channels.
        """
        rows = head.sensors.of_kind("mag")
        if not self.patterns:
            if len(rows) <= self.count:
                raise ValueError(f"taking {self.count} patterns needs more channels than that, got {len(rows)}")
            return _Learner(self, head)
        return SpatialStep(projected(rows, np.array(self.patterns).T), head)


def patterns_of(blocks: Iterable[Block], count: int) -> tuple[tuple[float, ...], ...]:
    """Return the `count` strongest spatial patterns of a recording, each about its mean, over the `mag` channels.

    Raises
    ------
    ValueError
        If there is no block.
    """
    parts = list(blocks)
    if not parts:
        raise ValueError("patterns need at least one block, got none")
    rows = parts[0].sensors.of_kind("mag")
    data = np.concatenate([np.where(part.bad(), np.nan, part.data)[:, rows] for part in parts])
    data = data[np.isfinite(data).all(axis=1)]
    _, _, right = np.linalg.svd(data - data.mean(axis=0), full_matrices=False)
    return tuple(tuple(float(value) for value in vector) for vector in right[:count])


def projected(rows: NDArray[np.int64], patterns: NDArray[np.float64]) -> Plan:
    """Return the plan that projects patterns (n_mag, count) out of these channels, whichever of them are good."""
    if len(patterns) != len(rows):
        raise ValueError(f"patterns of {len(patterns)} channels do not fit {len(rows)} mag channels")

    def planned(good: NDArray[np.bool_]) -> Operator:
        usable = rows[good[rows]]
        basis = orthonormal(patterns[good[rows]]) if len(usable) else np.zeros((0, 0))
        if basis.shape[1] == 0 or basis.shape[1] >= len(usable):
            return nothing()
        return Operator(inputs=usable, outputs=usable, left=-basis, right=np.ascontiguousarray(basis.T))

    return planned


class _Learner:
    """Passes the stream through until it has learned, then projects."""

    def __init__(self, settings: SignalSpaceProjection, head: Block) -> None:
        self._settings = settings
        self._sensors: SensorArray = head.sensors
        self._rows = head.sensors.of_kind("mag")
        self._origin, self._rate = head.first, head.rate
        self._window = max(4, round(WINDOW_S * head.rate))
        windows = max(4, round(settings.learn / WINDOW_S))
        self._seen = np.full((windows * self._window, len(self._rows)), np.nan)
        self._gate = BeatGate(head) if head.rate > SLOWEST else None
        self._beats: list[int] = []  # R waves, samples from the first
        self._step = SpatialStep(lambda _good: nothing(), head)

    def __call__(self, block: Block) -> Block:
        now = block.first - self._origin
        room = len(self._seen) - now
        if room <= 0:
            return self._step(block)
        stop = min(len(block), room)
        early = block.part(0, stop)
        self._seen[now : now + stop] = np.where(early.bad(), np.nan, early.data)[:, self._rows]
        if self._gate is not None:
            self._beats += [beat.r - self._origin for beat in self._gate(early)]
        before = self._step(early)
        if stop < room:
            return before
        patterns, say = self._harmless(self._learned())
        self._step.replan(projected(self._rows, patterns))
        told = Event(sample=block.first + stop - 1, kind="cleaning", why=say)
        if stop == len(block):
            return before.with_data(before.data, events=(told,))
        after = self._step(block.part(stop, len(block)))
        return block.with_data(np.concatenate([before.data, after.data]), events=(told,))

    def _learned(self) -> NDArray[np.float64]:
        """Return the strongest patterns of the windows at rest: (n_mag, count); none if no window is whole."""
        windows = self._seen.reshape(-1, self._window, len(self._rows))
        known = np.isfinite(windows).any(axis=1).mean(axis=0) > 0.9  # a channel that is mostly bad stays out
        whole = np.isfinite(windows[:, :, known]).all(axis=(1, 2))
        if whole.sum() < 2 or known.sum() <= self._settings.count:
            return np.zeros((len(self._rows), 0))
        rest = whole & self._at_rest(len(windows))
        used = windows[rest if rest.sum() >= max(4, 0.1 * len(windows)) else whole][:, :, known]
        if len(self._beats) < FEWEST or rest.sum() < max(4, 0.1 * len(windows)):  # quiet ones, as far as can be told
            moves = np.abs(np.diff(used, axis=1)).max(axis=(1, 2))
            used = used[np.argsort(moves)[: max(2, round(QUIET * len(used)))]]
        centred = (used - used.mean(axis=(0, 1))).reshape(-1, used.shape[2])
        _, _, right = np.linalg.svd(centred, full_matrices=False)
        found = np.zeros((len(self._rows), self._settings.count))
        found[known] = right[: self._settings.count].T
        return found

    def _at_rest(self, count: int) -> NDArray[np.bool_]:
        """Return which windows lie between the end of a T wave and the P wave after it: (count,)."""
        start = np.arange(count) * self._window
        rest = np.zeros(count, dtype=np.bool_)
        for one, two in pairwise(self._beats):
            long = (two - one) / self._rate
            begin, end = one + round(T_OVER * np.sqrt(long) * self._rate), two - round(P_BEGINS * self._rate)
            rest |= (start >= begin) & (start + self._window <= end)
        return rest

    def _harmless(self, patterns: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
        """Return as many of the patterns as leave `KEEP` of the heart, and say how many those are."""
        if not (wanted := patterns.shape[1]):
            return np.zeros((len(self._rows), 1)), f"no pattern could be learned in {self._settings.learn:g} s"
        kept = [self._kept(patterns[:, : count + 1]) for count in range(wanted)]
        harmless = [count for count, each in enumerate(kept, 1) if np.isnan(each) or each >= KEEP]
        if not harmless:
            said = f"projects nothing out: the strongest pattern alone would leave {kept[0]:.0%} of the heart"
            return np.zeros((len(self._rows), 1)), said
        count = harmless[-1]
        said = f"projects {count} of {wanted} patterns out"
        if not np.isnan(kept[0]):
            said += f", {kept[count - 1]:.0%} of the heart is left"
            said += f" ({kept[-1]:.0%} behind all {wanted})" if count < wanted else ""
        return patterns[:, :count], said

    def _kept(self, patterns: NDArray[np.float64]) -> float:
        """Return the share of the heart's power that is left behind patterns; NaN where no heart lies below."""
        sensors = self._sensors
        matrix = projected(self._rows, patterns)(sensors.usable()).matrix(len(sensors))
        return cost_of(matrix, sensors).heart_kept
