"""Isolines of a field map: solid where the field comes out of the chest, dashed where it goes in, zero thick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

from zeromag.mapping.field_map import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Isoline:
    """One line of equal field, in the grid's coordinates."""

    level: float  # T
    points: NDArray[np.float64]  # (n, 2) m


def isolines(grid: Grid, bz: NDArray[np.floating], limit: float, step: float) -> list[Isoline]:
    """Return the lines every `step` within ±`limit` (T), only where the array sees: `bz` is (ny, nx) T."""
    reach = int(np.floor(limit / step + 1e-9))
    levels = np.arange(-reach, reach + 1) * step
    # A masked corner cuts the line there: nothing is drawn where the array does not see.
    field = np.ma.masked_array(np.asarray(bz, dtype=np.float64), mask=~grid.mask | ~np.isfinite(bz))
    if min(field.shape) < 2 or field.mask.all():
        return []
    contours = contour_generator(grid.x, grid.y, field, line_type=LineType.Separate)
    return [
        Isoline(float(level), np.asarray(points))
        for level in levels
        for points in contours.lines(float(level))
        if len(points) > 1
    ]
