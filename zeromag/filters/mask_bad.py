"""Mask what must not be used: missing and railed samples at once, bad channels within a window, and back again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, compiled, kernel
from zeromag._lanes import LANES, fma, has_nan, larger, load, size, splat, store
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.bad_samples import NO_MASK
from zeromag.filters.channel_health import WINDOW_S, Judge
from zeromag.stage import Step

RAIL = 0.999  # of a sensor's range: beyond it a sample is railed
RECOVER_S = 0.1  # a sensor that was railed settles this long


@dataclass(frozen=True, slots=True)
class MaskBad:
    """Turns channels bad and good again, with an event for each change; no value is altered.

    Missing (NaN) and railed samples are masked one by one. Whole channels are judged on windows of 0.25 s at
    fixed places in the stream, and the verdict holds 0.1 s later, so a channel turns bad 0.35 to 0.6 s after it
    fails: `flat` (no noise at all), `jumping` (steps that its neighbours do not make), `noisy` (so many times the
    array's median), `saturated`, `missing`. A bad channel is good again once it has behaved for `patience` seconds,
    doubled with each relapse.
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
def _plain(x: F64, mask: BOOL, limit: F64) -> bool:
    """Return whether nothing is masked, missing or railed; `limit` is as wide as whole lanes."""
    samples, n = x.shape
    if len(mask) and mask.any():
        return False
    whole = n // LANES * LANES
    zero, beyond = splat(0.0), np.empty(LANES)
    total, most = zero, splat(-np.inf)
    for t in range(samples):  # in the order of the memory: column by column would take three times as long
        for c in range(0, whole, LANES):
            value = load(x, t * n + c)
            total = fma(value, zero, total)  # 0·NaN and 0·inf are NaN
            most = larger(most, size(value) - load(limit, c))
        for c in range(whole, n):
            if not np.isfinite(x[t, c]) or abs(x[t, c]) >= limit[c]:
                return False
    store(beyond, 0, most)
    return not (has_nan(total) or beyond.max() >= 0.0)


@kernel
def _samples(x: F64, limit: F64, recover: int, railed: I64, out: BOOL) -> bool:
    """Mark missing samples, and railed ones with the recovery after them; return whether none still recovers."""
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            value = x[t, c]
            if np.isnan(value) or np.isinf(value):
                out[t, c] = True
            elif abs(value) >= limit[c]:
                railed[c] = recover
                out[t, c] = True
            elif railed[c] > 0:
                railed[c] -= 1
                out[t, c] = True
    return bool(railed.max() == 0)


class _Mask:
    """Sample by sample for what shows at once; window by window for the channels."""

    def __init__(self, settings: MaskBad, head: Block) -> None:
        sensors = head.sensors
        n = len(sensors)
        self._origin = head.first
        magnetic = np.isin(np.arange(n), sensors.of_kind("mag", "ref"))
        self._limit = np.full(-(-n // LANES) * LANES, np.inf)
        self._limit[:n] = np.where(magnetic, RAIL * sensors.limit, np.inf)
        self._recover = round(RECOVER_S * head.rate)
        self._railed = np.zeros(n, dtype=np.int64)
        self._recovered = True
        self._unusable = ~sensors.usable()
        self._any_unusable = bool(self._unusable.any())
        self._window = max(20, round(WINDOW_S * head.rate))
        self._judge = Judge(
            sensors, head.rate, self._window, noisy=settings.noisy, jump=settings.jump, patience=settings.patience
        )
        self._plain = compiled(_plain, head.data, NO_MASK, self._limit)

    def __call__(self, block: Block) -> Block:
        mask = self._hidden(block)
        shown = None if mask is None else mask.copy()
        events: list[Event] = []
        at, judge = 0, self._judge
        while at < len(block):
            place = (block.first + at - self._origin) % self._window
            edge = judge.delay if place < judge.delay else self._window
            stop = min(len(block), at + edge - place)
            if judge.bad.any():
                shown = np.zeros(block.data.shape, dtype=np.bool_) if shown is None else shown
                shown[at:stop] |= judge.bad
            judge.take(block.data, NO_MASK if mask is None else mask, at, stop, place)
            if place + stop - at == judge.delay and block.first + stop - self._origin > self._window:
                events += judge.decide(block.first + stop - 1)
            at = stop
        # without a mask all later stages take their short way
        hidden = shown is not None and bool(shown.any())
        return block.with_data(block.data, mask=shown if hidden else None, events=tuple(events))

    def _hidden(self, block: Block) -> NDArray[np.bool_] | None:
        """Return which samples are missing or railed, or of a channel that was not usable; None: none is."""
        given = NO_MASK if block.mask is None else block.mask
        plain = self._recovered and self._plain(block.data, given, self._limit)
        if plain and not self._any_unusable:
            return None
        mask = block.bad().copy()
        if not plain:
            self._recovered = _samples(block.data, self._limit, self._recover, self._railed, mask)
        mask[:, self._unusable] = True
        mask.setflags(write=False)  # as `NO_MASK` is, or a kernel would be compiled for each
        return mask
