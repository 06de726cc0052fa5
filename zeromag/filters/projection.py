"""Signal-space projection: take out the spatial patterns that interference was seen to have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import orthonormal
from zeromag.filters.operator import Operator, Plan, SpatialStep, nothing
from zeromag.sensors import SensorArray
from zeromag.stage import Step

QUIET = 0.5  # of the windows learned from: those that move least from sample to sample, between the beats
WINDOW_S = 0.2


@dataclass(frozen=True, slots=True)
class SignalSpaceProjection:
    """y ← (I - U Uᵀ) y on the `mag` channels (Uusitalo & Ilmoniemi 1997).

    `patterns` (vector, mag channel) come from `patterns_of` a recording of the empty room. Without them the first
    `count` principal patterns are learned from the first `learn` seconds between the beats; until then nothing is
    taken. Patterns that look like a heart take the heart: see what the heart meter says.
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
        self._origin = head.first
        self._window = max(4, round(WINDOW_S * head.rate))
        windows = max(4, round(settings.learn / WINDOW_S))
        self._seen = np.full((windows * self._window, len(self._rows)), np.nan)
        self._step = SpatialStep(lambda _good: nothing(), head)

    def __call__(self, block: Block) -> Block:
        now = block.first - self._origin
        room = len(self._seen) - now
        if room <= 0:
            return self._step(block)
        stop = min(len(block), room)
        part = np.where(block.bad(), np.nan, block.data)[:stop, self._rows]
        self._seen[now : now + stop] = part
        if stop < room:
            return self._step(block)
        before = self._step(block.part(0, stop))
        self._step.replan(projected(self._rows, self._learned()))
        if stop == len(block):
            return before
        after = self._step(block.part(stop, len(block)))
        return block.with_data(np.concatenate([before.data, after.data]))

    def _learned(self) -> NDArray[np.float64]:
        """Return the strongest patterns of the quiet windows: (n_mag, count); none if no window is whole."""
        windows = self._seen.reshape(-1, self._window, len(self._rows))
        known = np.isfinite(windows).any(axis=1).mean(axis=0) > 0.9  # a channel that is mostly bad stays out
        whole = windows[np.isfinite(windows[:, :, known]).all(axis=(1, 2))][:, :, known]
        if len(whole) < 2 or known.sum() <= self._settings.count:
            return np.zeros((len(self._rows), 1))
        moves = np.abs(np.diff(whole, axis=1)).max(axis=(1, 2))
        quiet = whole[np.argsort(moves)[: max(2, round(QUIET * len(whole)))]]
        centred = (quiet - quiet.mean(axis=(0, 1))).reshape(-1, quiet.shape[2])
        _, _, right = np.linalg.svd(centred, full_matrices=False)
        found = np.zeros((len(self._rows), self._settings.count))
        found[known] = right[: self._settings.count].T
        return found
