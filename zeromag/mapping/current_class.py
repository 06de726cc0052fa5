"""How dipolar and how usual the pseudo-current of one map looks, on a scale from 0 to 4."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64

LARGE = 0.8  # of the longest arrow, from which an arrow counts as large
USUAL = (-100.0, 10.0)  # deg, directions that point to the patient's left and down, 10° given to both sides
COARSE = 2  # every second pixel is enough to see how many clusters there are


def current_class(mask: BOOL, jx: F64, jy: F64) -> float:
    """Return the class of one map of arrows (ny, nx), after Chaikovsky et al.

    A map begins at 0; one is added for each further cluster of large arrows (two at most), one when most of
    the large arrows point away from left and down, one more when they all do. Their own table is not
    printed in the abstracts that tell of the scale, the two things that it counts, and the threshold of 1.75.
    """
    from scipy.ndimage import label

    x, y = jx[::COARSE, ::COARSE], jy[::COARSE, ::COARSE]
    length = np.where(mask[::COARSE, ::COARSE], x * x + y * y, 0.0)
    large = length >= LARGE**2 * length.max()
    clusters = int(label(large, structure=np.ones((3, 3)))[1])
    angle = np.degrees(np.arctan2(y[large], x[large]))
    away = float(np.mean((angle < USUAL[0]) | (angle > USUAL[1])))
    return min(clusters - 1, 2) + float(away > 0.5) + float(away >= 1.0)
