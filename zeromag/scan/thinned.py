"""A stream with fewer samples a second, without delay: what beats are found and averaged in when a device is fast."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, load, splat, store
from zeromag.block import Block
from zeromag.session import Session

PER_LOW_PASS = 8.0  # samples a second that are kept for each Hz of the chain's low-pass
LEAST = 1000.0  # Hz that are kept in any case
REACH = 8  # kept samples to either side that one is made of
CORNER = 0.7  # of the new half rate, where half is left: flat to a sixth of the new rate, nothing folds back to there
AT_ONCE = 16  # kept samples that are made together
SPARE = 4  # times a window: room for more rows, so that those still needed are seldom moved


@kernel
def _thin(rows: F64, taps: F64, start: int, step: int, out: F64) -> None:
    """Weigh the rows about every `step`-th one, the first window beginning at `start`, in a fixed order.

    Sixteen channels at a time, a few windows of which are copied together: rows of 1,024 lie 8 KiB apart.
    """
    count, n = out.shape
    whole = n // LANES * LANES
    beside = np.empty(((AT_ONCE - 1) * step + len(taps), LANES))
    for begin in range(0, count, AT_ONCE):
        some = min(AT_ONCE, count - begin)
        at = start + begin * step
        for c in range(0, whole, LANES):
            for r in range((some - 1) * step + len(taps)):
                store(beside, r * LANES, load(rows, (at + r) * n + c))
            for k in range(0, some, 2):
                other = min(k + 1, some - 1)
                one, two = splat(0.0), splat(0.0)
                for j in range(len(taps)):
                    tap = splat(taps[j])
                    one = one + tap * load(beside, (k * step + j) * LANES)
                    two = two + tap * load(beside, (other * step + j) * LANES)
                store(out, (begin + k) * n + c, one)
                store(out, (begin + other) * n + c, two)
        for k in range(some):
            for c in range(whole, n):
                total = 0.0
                for j in range(len(taps)):
                    total += taps[j] * rows[at + k * step + j, c]
                out[begin + k, c] = total


@kernel
def _spoilt(bad: BOOL, reach: int, start: int, step: int, spoilt: BOOL) -> None:
    """Mark what is made of a bad sample."""
    for k in range(spoilt.shape[0]):
        for j in range(reach):
            for c in range(spoilt.shape[1]):
                spoilt[k, c] |= bad[start + k * step + j, c]


def factor_for(rate: float, low_pass: float) -> int:
    """Return every how manieth sample is enough for what a low-pass (Hz; 0: none) leaves; 1: all are needed."""
    if not 0 < low_pass < rate / 2:
        return 1
    return max(1, int(rate / max(LEAST, PER_LOW_PASS * low_pass)))


def factor_of(session: Session, rate: float) -> int:
    """Return every how manieth sample is enough behind this session's chain; of stages of one's own all are."""
    return 1 if session.clean.stages else factor_for(rate, session.clean.low_pass)


class Thinning:
    """Callable with the blocks of a stream; gives the samples whose index is a multiple of `factor`, or None yet.

    Each is a sum of its surroundings with symmetric weights (a windowed sinc), so nothing is late and nothing folds
    back; it can be made once the last of them has come. The index is the old one over `factor`. A sample is bad
    when any that it is made of is. A gap begins anew.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._last: Block | None = None
        self._rows, self._bad = np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_)
        self._begin = self._end = 0  # the rows that are still needed
        self._first = 0  # stream index of the first of them
        self._clean = 0  # stream index from which on no sample is bad

    def head(self, block: Block) -> Block:
        """Return the first sample as what follows begins with it: its index, rate and sensors are those to come."""
        first = -(-(block.first + REACH * self.factor) // self.factor)
        return Block(block.data[:1], first, block.rate / self.factor, block.sensors)

    @cached_property
    def _taps(self) -> F64:
        half = REACH * self.factor
        at = np.arange(-half, half + 1)
        weights = np.sinc(CORNER * at / self.factor) * np.blackman(2 * half + 1)
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def __call__(self, block: Block) -> Block | None:
        """Take the next block."""
        if not block.follows(self._last):
            self._rows, self._bad = np.empty((0, 0)), np.empty((0, 0), dtype=np.bool_)
            self._begin, self._end, self._first, self._clean = 0, 0, block.first, block.first
        self._last = block
        self._keep(block)
        step, half = self.factor, REACH * self.factor
        first = -(-(self._first + half) // step)  # index of the first sample with all its surroundings, thinned
        count = (block.stop - 1 - half) // step - first + 1
        if count <= 0:
            return None
        start = self._begin + first * step - half - self._first
        data, mask = np.empty((count, len(block.sensors))), None
        _thin(self._rows, self._taps, start, step, data)
        if first * step - half < self._clean:
            mask = np.zeros(data.shape, dtype=np.bool_)
            _spoilt(self._bad, len(self._taps), start, step, mask)
        done = (first + count) * step - half - self._first
        self._begin, self._first = self._begin + done, self._first + done
        return Block(data, first, block.rate / step, block.sensors, mask, (), block.t_ns)

    def _keep(self, block: Block) -> None:
        """Put a block behind the rows that are still needed; they move, or get more room, when there is none left."""
        needed = self._end - self._begin
        if self._end + len(block) > len(self._rows):
            rows, bad = self._rows, self._bad
            shape = needed + len(block) + SPARE * len(self._taps), block.data.shape[1]
            if shape[0] > len(rows):
                self._rows, self._bad = np.empty(shape), np.zeros(shape, dtype=np.bool_)
            if needed:
                self._rows[:needed], self._bad[:needed] = rows[self._begin : self._end], bad[self._begin : self._end]
            self._begin, self._end = 0, needed
        here = slice(self._end, self._end + len(block))
        self._rows[here] = block.data
        if block.mask is not None:
            self._clean = block.stop
        self._bad[here] = False if block.mask is None else block.mask
        self._end += len(block)
