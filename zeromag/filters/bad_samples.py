"""Which samples are bad: a block's mask as every kernel is given it, and whether all are good."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, any_true, fma, has_nan, load, splat
from zeromag.block import Block

NO_MASK = np.zeros((0, 0), dtype=np.bool_)  # stands for the mask of a block that has none
NO_MASK.setflags(write=False)


def bad_samples(block: Block) -> NDArray[np.bool_]:
    """Return the mask, read-only even when it was made here: a writable one would compile every kernel twice."""
    bad = block.bad()
    bad.setflags(write=False)
    return bad


@kernel
def all_good(x: F64, bad: BOOL, low: int, n: int) -> bool:
    """Return whether every sample of `n` neighbouring columns is finite and none is marked bad."""
    zero = splat(0.0)
    whole = n // LANES * LANES
    flaws, total, rest = False, zero, 0.0
    for t in range(x.shape[0]):
        start = t * x.shape[1] + low
        for c in range(0, whole, LANES):
            total = fma(load(x, start + c), zero, total)  # 0·NaN and 0·inf are NaN
        for c in range(whole, n):
            rest += x[t, low + c] * 0.0
        if len(bad):
            for c in range(0, whole, LANES):
                flaws |= any_true(bad, start + c)
            for c in range(whole, n):
                flaws |= bad[t, low + c]
    return not (flaws or has_nan(total) or np.isnan(rest))
