"""A known heart beside the stream: the same chain runs with it and without, and the difference is what is left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.known_heart import heart_below, known_heart
from zeromag.filters.meter import LATEST_S, HeartCost, Late, cost_of_maps, lag
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain, Tap

LOOP_S = 8  # the known heart repeats after so many beats, one a second
SETTLE_S = 4.0  # of the stream: beats before are not judged
BEFORE_S, AFTER_S = 0.3, 0.4  # of a beat, about R
BATCH_S = 0.1  # the second chain runs over so much at once: short blocks cost it most of its time
MOST = 1.5e5  # samples a second, all channels together, up to which a second chain is cheap enough beside a live stream


@dataclass(slots=True)
class _Beat:
    """One injected beat: what went in, and what is left behind each stage; (n_samples, n_mag) T."""

    known: NDArray[np.float64]
    left: list[NDArray[np.float64]]


class Injection:
    """Callable with the taps of a chain (raw first); runs the chain once more with a heart on top.

    The heart has a beat each second, at another place of the heart volume each, so it is not in step with the real
    one. The last eight are kept. `seconds` of the stream are enough for a live one: then nothing more is done.
    """

    def __init__(self, chain: Chain, head: Block, seconds: float = float("inf")) -> None:
        self._sensors = head.sensors
        self._on = heart_below(head.sensors, HeartVolume())
        self._mag = head.sensors.of_kind("mag")
        self._rate, self._origin = head.rate, head.first
        # behind a stage that looks for beats itself there is no telling: the real heart's and this one's both count
        late = [k for k, stage in enumerate(chain.stages) if isinstance(stage, Late)]
        self._stages = late[0] if late else len(chain.stages)
        self._twin: Callable[[Block], Tap] = Chain(chain.stages[: self._stages]).tapped()
        self._loop = round(LOOP_S * head.rate)
        self._heart = known_heart(head.sensors, head.rate, LOOP_S + 1.0, HalfSpace(), HeartVolume())
        self._places = self._heart.r_peaks[self._heart.r_peaks < self._loop - round(AFTER_S * head.rate)]
        before, self._after = round(BEFORE_S * head.rate), round((AFTER_S + LATEST_S) * head.rate)
        self._before, self._end = before, seconds * head.rate
        self._rows = np.full((self._stages + 1, before + self._after, len(self._mag)), np.nan)
        self._kept: deque[_Beat] = deque(maxlen=LOOP_S)
        self._last: Block | None = None
        self._count = 0  # beats so far
        self._told: dict[int | None, tuple[int, HeartCost | None]] = {}  # and after how many beats
        self._waiting: list[tuple[Block, ...]] = []
        # gains and crosstalk that are put right are not the heart's loss
        self._exempt = {k for k, stage in enumerate(chain.stages) if isinstance(stage, Calibrate)}

    def __call__(self, taps: Sequence[Block]) -> None:
        """Take one block of the stream, before the chain and behind each stage."""
        if not self._on or taps[0].first - self._origin > self._end:
            return
        if self._waiting and not taps[0].follows(self._waiting[-1][0]):
            self._run()
        self._waiting.append(tuple(taps[: self._stages + 1]))
        if taps[0].stop - self._waiting[0][0].first >= BATCH_S * self._rate:
            self._run()

    def _run(self) -> None:
        """Run the second chain over the blocks that wait."""
        taps = [_joined(blocks) for blocks in zip(*self._waiting, strict=True)]
        self._waiting.clear()
        raw = taps[0]
        place = np.arange(raw.first, raw.stop) - self._origin
        field = self._heart.part(place % self._loop)
        twin = self._twin(raw.with_data(raw.data + field))
        if not raw.follows(self._last):
            self._rows[:] = np.nan
        self._last = raw
        fresh = [field[:, self._mag]]
        for with_heart, without in zip(twin[1:], taps[1:], strict=True):
            left = (with_heart.data - without.data)[:, self._mag]
            left[(with_heart.bad() | without.bad())[:, self._mag]] = np.nan
            fresh.append(left)
        self._gather(np.array(fresh), place)

    def _gather(self, fresh: NDArray[np.float64], place: NDArray[np.int64]) -> None:
        """Keep the newest rows; a beat is cut out when the last sample that belongs to it has come."""
        rows = np.concatenate([self._rows, fresh], axis=1)
        length = self._before + self._after
        for peak in np.flatnonzero(np.isin((place - self._after + 1) % self._loop, self._places)).tolist():
            if SETTLE_S * self._rate <= place[peak] - self._after and place[peak] <= self._end:
                beat = rows[:, peak + 1 : peak + 1 + length]
                self._count += 1
                self._kept.append(_Beat(beat[0].copy(), list(beat[1:].copy())))
        self._rows = rows[:, rows.shape[1] - length :].copy()

    @property
    def beats(self) -> int:
        """How many beats were injected and can be judged now, eight at most."""
        return len(self._kept)

    def cost(
        self, stage: int | None = None, noise_gain: float = float("nan"), *, roughly: bool = False
    ) -> HeartCost | None:
        """Return what the stream's own conditions left of the heart, behind one stage alone or (None) all of them.

        None before the first beat, behind a stage that looks for beats itself, and where no heart lies below.
        `roughly` is what was said last, unless eight beats have come since: for those who ask again and again.
        """
        if not roughly and self._waiting:
            self._run()
        of, known = self._told.get(stage, (0, None))
        if known is None or not roughly or self._count >= of + LOOP_S:
            known = self._cost(stage)
            self._told[stage] = self._count, known
        return known and replace(known, noise_gain=noise_gain)

    def _cost(self, stage: int | None) -> HeartCost | None:
        if not self._kept or not self._stages or (stage is not None and stage >= self._stages):
            return None
        if stage in self._exempt:
            return HeartCost(1.0, 1.0, float("nan"), 0.0, 0.0, 0.0)
        first, last = (max(self._exempt, default=-1), self._stages - 1) if stage is None else (stage - 1, stage)
        pairs = [(beat.known if first < 0 else beat.left[first], beat.left[last]) for beat in self._kept]
        pairs = [(one[:, good], two[:, good]) for one, two in pairs if (good := _whole(one) & _whole(two)).any()]
        # behind the first stages the beat has come later already: both are cut where their own delay says
        begun = 0 if first < 0 else self._delay(first)
        ends = self._delay(last)
        span = np.arange(self._before + round(AFTER_S * self._rate))
        powers = [float((two[span + round(ends)] ** 2).sum() / (one[span + round(begun)] ** 2).sum())
                  for one, two in pairs]  # fmt: skip
        maps = [_costs(one[self._before + round(begun)], two[self._before + round(ends)]) for one, two in pairs]
        if not powers:
            return None
        kept = float(np.median(powers))
        alike, error = (float(value) for value in np.median(np.array(maps), axis=0))
        angle = self._angle(first, last, round(begun), round(ends))
        return HeartCost(kept, alike, float("nan"), (ends - begun) / self._rate, error, angle)

    def _delay(self, last: int) -> float:
        """Return by how many samples the heart is late behind a stage, from all beats seen along their maps at R."""
        one, two = [], []
        for beat in self._kept:
            at_r = beat.known[self._before]
            one.append(beat.known @ at_r)
            two.append(np.nan_to_num(beat.left[last]) @ at_r)
        return lag(np.array(one).T, np.array(two).T, 0, round(LATEST_S * self._rate))

    def _angle(self, first: int, last: int, begun: int, ends: int) -> float:
        """Return by how many degrees maps at R turn, over the channels that no beat misses."""
        one = np.array([(b.known if first < 0 else b.left[first])[self._before + begun] for b in self._kept]).T
        two = np.array([b.left[last][self._before + ends] for b in self._kept]).T
        good = np.isfinite(one).all(axis=1) & np.isfinite(two).all(axis=1)
        if good.sum() < 4:
            return float("nan")
        return cost_of_maps(one[good], two[good], self._sensors.pick(self._mag[good]), 1.0).map_angle


def _joined(blocks: Sequence[Block]) -> Block:
    """Return consecutive blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    mask = np.concatenate([block.bad() for block in blocks]) if any(b.mask is not None for b in blocks) else None
    head = blocks[0]
    data = np.concatenate([block.data for block in blocks])
    return Block(data=data, first=head.first, rate=head.rate, sensors=head.sensors, mask=mask)


def _whole(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(rows).all(axis=0))


def _costs(one: NDArray[np.float64], two: NDArray[np.float64]) -> tuple[float, float]:
    """Return correlation and relative error of two maps."""
    cost = cost_of_maps(one[:, None], two[:, None], None, 1.0)
    return cost.map_correlation, cost.map_error
