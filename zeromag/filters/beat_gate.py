"""Where the heart beats, found causally in whatever stream a filter is given: for filters that must wait for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.qrs_power import HOLD, QrsPower

LEARN_S = 1.5  # of the stream, before a peak is believed: the first may be a T wave
REACH_S = 0.16  # R lies so far before the envelope's peak at most
FORGET_S = 5.0  # without a beat the height asked for falls by a factor e in this time
ASKED = 0.5  # of the usual height: T waves stay below in the QRS band
KNOWN_S = REACH_S + HOLD + 0.01  # s after R at which a beat is known, at the latest


@dataclass(frozen=True, slots=True)
class Found:
    """One beat: where its R wave is, and from which sample on that is known."""

    r: int  # index in the stream
    known: int  # index in the stream, `KNOWN_S` after R at the latest


class BeatGate:
    """Callable with consecutive blocks; returns the beats that became known in each, in order.

    The global field power of the QRS band finds them, sign-free; R is where the field of the array is largest
    before the envelope's peak. It says where to look, not what the rhythm is: `mapping.detect` does that.
    """

    def __init__(self, head: Block) -> None:
        sensors = head.sensors
        columns = sensors.of_kind("mag")
        if not sensors.usable()[columns].any():
            columns = sensors.of_kind("ecg")
        self._columns = columns[sensors.usable()[columns]]
        self._power = QrsPower(len(self._columns), head.rate)
        self._rate, self._origin = head.rate, head.first
        self._hold = round(HOLD * head.rate)
        self._reach = round(REACH_S * head.rate)
        self._past = np.full((self._reach + self._hold + 1, len(self._columns)), np.nan)  # newest last
        self._usual = 0.0
        self._last = head.first

    def __call__(self, block: Block) -> list[Found]:
        """Take the next block."""
        if not len(self._columns):
            return []
        data = np.ascontiguousarray(block.data[:, self._columns])
        bad = np.ascontiguousarray(bad_samples(block)[:, self._columns])
        _, peaks = self._power(data, bad, block.first)
        rows = np.vstack([self._past, np.where(bad, np.nan, data)])
        begin = block.first - len(self._past)  # stream index of the first row
        found = [
            Found(self._r(rows, peak.at - begin, begin), peak.at + self._hold)
            for peak in peaks
            if self._is_beat(peak.at, peak.height)
        ]
        self._past = rows[len(rows) - len(self._past) :].copy()
        return found

    def _is_beat(self, at: int, height: float) -> bool:
        asked = ASKED * self._usual * float(np.exp(-(at - self._last) / (FORGET_S * self._rate)))
        if at - self._origin < LEARN_S * self._rate:
            self._usual, self._last = max(self._usual, height), at
            return False
        if height < asked or height <= 0:
            return False
        # a lift's step may be far higher than a beat: it may not shut the gate for long
        self._usual += 0.25 * (min(height, 2 * max(self._usual, asked)) - self._usual) if self._usual else height
        self._last = at
        return True

    def _r(self, rows: F64, peak: int, begin: int) -> int:
        """Return the stream index of the largest field within reach before the envelope's peak."""
        window = rows[peak - self._reach : peak + 1]
        window = window[:, np.isfinite(window).all(axis=0)]
        if not window.shape[1]:
            return begin + peak - self._reach // 2
        about = window - window[0]
        about -= about.mean(axis=0)
        return begin + peak - self._reach + int(np.argmax((about**2).sum(axis=1)))
