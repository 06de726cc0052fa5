"""How dipolar and how usual the pseudo-current of one map looks, on a scale from 0 to 4."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel

LARGE = 0.8  # of the longest arrow, from which an arrow counts as large
USUAL = (-100.0, 10.0)  # deg, directions that point to the patient's left and down, 10° given to both sides
COARSE = 2  # every second pixel is enough to see how many clusters there are


@kernel
def _clusters(large: BOOL, open_: I64, seen: BOOL) -> int:
    """Return how many groups of pixels touch each other at a side or a corner; `open_` and `seen` are its memory."""
    rows, columns = large.shape
    count = 0
    for i in range(rows):
        for j in range(columns):
            if not large[i, j] or seen[i, j]:
                continue
            count += 1
            seen[i, j] = True
            open_[0, 0], open_[0, 1] = i, j
            waiting = 1
            while waiting > 0:
                waiting -= 1
                r, c = open_[waiting, 0], open_[waiting, 1]
                for up in range(max(0, r - 1), min(rows, r + 2)):
                    for across in range(max(0, c - 1), min(columns, c + 2)):
                        if large[up, across] and not seen[up, across]:
                            seen[up, across] = True
                            open_[waiting, 0], open_[waiting, 1] = up, across
                            waiting += 1
    return count


def current_class(mask: BOOL, jx: F64, jy: F64) -> float:
    """Return the class of one map of arrows (ny, nx), after Chaikovsky et al.

    A map begins at 0; one is added for each further cluster of large arrows (two at most), one when most of
    the large arrows point away from left and down, one more when they all do. Their own table is not
    printed in the abstracts that tell of the scale, the two things that it counts, and the threshold of 1.75.
    """
    x, y = jx[::COARSE, ::COARSE], jy[::COARSE, ::COARSE]
    length = np.where(mask[::COARSE, ::COARSE], x * x + y * y, 0.0)
    large = length >= LARGE**2 * length.max()
    clusters = int(_clusters(large, np.empty((large.size, 2), dtype=np.int64), np.zeros(large.shape, dtype=np.bool_)))
    angle = np.degrees(np.arctan2(y[large], x[large]))
    away = float(np.mean((angle < USUAL[0]) | (angle > USUAL[1])))
    return min(clusters - 1, 2) + float(away > 0.5) + float(away >= 1.0)
