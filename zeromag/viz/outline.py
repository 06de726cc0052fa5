"""The edge of what the array sees, as a smooth line: the pixels of a grid alone would make steps of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

from zeromag.mapping.field_map import Grid

SOFT = 8  # times that the edge is smoothed over three pixels


@lru_cache(maxsize=8)
def outline(grid: Grid) -> tuple[NDArray[np.float64], ...]:
    """Return the closed lines around what the array sees, (n, 2) m; a hole has a line of its own.

    Along the grid's border they run on the outer edges of its pixels.
    """
    if min(grid.mask.shape) < 2:
        return ()
    rows, columns = grid.mask.shape
    seen = np.pad(grid.mask.astype(np.float64), SOFT + 1, mode="edge")
    for _ in range(SOFT):
        for axis in (0, 1):
            seen = 0.5 * seen + 0.25 * (np.roll(seen, 1, axis) + np.roll(seen, -1, axis))
    seen = np.pad(seen[SOFT:-SOFT, SOFT:-SOFT], 1)  # nothing is seen beyond the border: every line closes
    lines = contour_generator(z=seen, line_type=LineType.Separate).lines(0.5)
    shift = np.array([2.0, 2.0])  # the two pixels that were added on each side
    ends = np.array([columns - 0.5, rows - 0.5])
    step = np.array([grid.x[-1] - grid.x[0], grid.y[-1] - grid.y[0]]) / (ends - 0.5)
    first = np.array([grid.x[0], grid.y[0]])
    return tuple(first + np.clip(np.asarray(line) - shift, -0.5, ends) * step for line in lines)
