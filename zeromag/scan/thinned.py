"""A stream with fewer samples a second, without delay: what beats are found and averaged in when a device is fast."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag.block import Block, joined

PER_LOW_PASS = 8.0  # samples a second that are kept for each Hz of the chain's low-pass
LEAST = 1000.0  # Hz that are kept in any case
REACH = 8  # kept samples to either side that one is made of
CORNER = 0.7  # of the new half rate, where half is left: flat to a sixth of the new rate, nothing folds back to there


@kernel
def _thin(rows: F64, taps: F64, start: int, step: int, out: F64) -> None:
    """Weigh the rows about every `step`-th one, the first window beginning at `start`, in a fixed order."""
    out[:] = 0.0
    for k in range(out.shape[0]):
        for j in range(taps.shape[0]):
            row = start + k * step + j
            for c in range(out.shape[1]):
                out[k, c] += taps[j] * rows[row, c]


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


class Thinning:
    """Callable with the blocks of a stream; gives the samples whose index is a multiple of `factor`, or None yet.

    Each is a sum of its surroundings with symmetric weights (a windowed sinc), so nothing is late and nothing folds
    back; it can be made once the last of them has come. The index is the old one over `factor`. A sample is bad
    when any that it is made of is. A gap begins anew.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._rest: Block | None = None  # what of the stream is still needed

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
        rest, step, half = self._rest, self.factor, REACH * self.factor
        whole = joined([rest, block]) if rest is not None and block.follows(rest) else block
        first = -(-(whole.first + half) // step)  # index of the first sample with all its surroundings, thinned
        count = (whole.stop - 1 - half) // step - first + 1
        if count <= 0:
            self._rest = whole
            return None
        kept = (first + count) * step - half - whole.first
        self._rest = whole.part(kept, len(whole))
        data, mask, start = np.empty((count, len(whole.sensors))), None, first * step - half - whole.first
        _thin(whole.data, self._taps, start, step, data)
        if whole.mask is not None:
            mask = np.zeros(data.shape, dtype=np.bool_)
            _spoilt(whole.mask, len(self._taps), start, step, mask)
        return Block(data, first, whole.rate / step, whole.sensors, mask, (), whole.t_ns)
