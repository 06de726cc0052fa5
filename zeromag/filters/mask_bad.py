"""Mask what must not be used: missing and railed samples at once, bad channels within a window, and back again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.channel_health import WINDOW_S, Judge
from zeromag.stage import Step

RAIL = 0.999  # of a sensor's range: beyond it a sample is railed
RECOVER_S = 0.1  # a sensor that was railed settles this long


@dataclass(frozen=True, slots=True)
class MaskBad:
    """Turns channels bad and good again, with an event for each change; no value is altered.

    Missing (NaN) and railed samples are masked one by one. Whole channels are judged on windows of 0.25 s at
    fixed places in the stream, so a channel turns bad 0.25 to 0.5 s after it fails: `flat` (no noise at all),
    `jumping` (steps that its neighbours do not make), `noisy` (so many times the array's median), `saturated`,
    `missing`. A bad channel is good again once it has behaved for `patience` seconds, doubled with each relapse.
    Channels that were not usable before the first sample stay masked.
    """

    noisy: float = 5.0  # times the median noise of the array
    jump: float = 12.0  # times a channel's own noise
    patience: float = 2.0  # s

    def __post_init__(self) -> None:
        if not self.noisy > 1:
            raise ValueError(f"a noisy channel is more than 1 time the median, got {self.noisy}")
        if not self.jump > 3:
            raise ValueError(f"a jump is more than 3 times the noise, got {self.jump}")
        if not self.patience > 0:
            raise ValueError(f"patience must be above 0 s, got {self.patience}")

    def start(self, head: Block) -> Step:
        """Return the running mask."""
        return _Mask(self, head)


@kernel
def _samples(x: F64, columns: I64, limit: F64, recover: int, railed: I64, out: BOOL) -> None:
    """Mark missing samples, and railed ones with the recovery after them; `railed` counts down."""
    for t in range(x.shape[0]):
        for c in range(len(columns)):
            value = x[t, columns[c]]
            if np.isnan(value) or np.isinf(value):
                out[t, columns[c]] = True
            elif abs(value) >= limit[c]:
                railed[c] = recover
                out[t, columns[c]] = True
            elif railed[c] > 0:
                railed[c] -= 1
                out[t, columns[c]] = True


class _Mask:
    """Sample by sample for what shows at once; window by window for the channels."""

    def __init__(self, settings: MaskBad, head: Block) -> None:
        sensors = head.sensors
        self._origin = head.first
        self._every = np.arange(len(sensors), dtype=np.int64)
        magnetic = np.isin(self._every, sensors.of_kind("mag", "ref"))
        self._limit = np.where(magnetic, RAIL * sensors.limit, np.inf)
        self._recover = round(RECOVER_S * head.rate)
        self._railed = np.zeros(len(sensors), dtype=np.int64)
        self._unusable = ~sensors.usable()
        self._window = max(20, round(WINDOW_S * head.rate))
        self._judge = Judge(
            sensors, head.rate, self._window, noisy=settings.noisy, jump=settings.jump, patience=settings.patience
        )

    def __call__(self, block: Block) -> Block:
        mask = block.bad().copy()
        mask[:, self._unusable] = True
        _samples(block.data, self._every, self._limit, self._recover, self._railed, mask)
        events: list[Event] = []
        at = 0
        while at < len(block):
            place = (block.first + at - self._origin) % self._window
            stop = min(len(block), at + self._window - place)
            now = mask[at:stop].copy()
            mask[at:stop] |= self._judge.bad
            self._judge.take(block.data[at:stop], now, place)
            if place + stop - at == self._window:
                events += self._judge.decide(block.first + stop - 1)
            at = stop
        return block.with_data(block.data, mask=mask, events=tuple(events))
