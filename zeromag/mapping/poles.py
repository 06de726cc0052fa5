"""The poles of a field map and the angles and sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.field_map import Grid


@dataclass(frozen=True, slots=True)
class Poles:
    """The strongest field out of and into the chest, and what they say; angles as in docs/parameters.md."""

    plus: tuple[float, float]  # m, place of the highest field
    minus: tuple[float, float]  # m, place of the lowest
    plus_field: float  # T
    minus_field: float  # T, negative when there is a pole
    angle: float  # deg, of the vector from plus to minus, from the patient's left, counter-clockwise in frontal view
    distance: float  # m
    ratio: float  # plus over |minus|
    plus_inside: bool  # whether the array sees beyond the pole on all sides
    minus_inside: bool


def poles(grid: Grid, bz: F64) -> Poles:
    """Return the poles of one map (ny, nx) T, their places refined between pixels."""
    seen = np.where(grid.mask, bz, -np.inf)
    plus, plus_field, plus_inside = _top(grid, seen)
    minus, minus_field, minus_inside = _top(grid, np.where(grid.mask, -bz, -np.inf))
    along = minus[0] - plus[0], minus[1] - plus[1]
    return Poles(
        plus=plus,
        minus=minus,
        plus_field=plus_field,
        minus_field=-minus_field,
        angle=float(np.degrees(np.arctan2(along[1], along[0]))),
        distance=float(np.hypot(*along)),
        ratio=plus_field / minus_field if minus_field > 0 else float("inf"),
        plus_inside=plus_inside,
        minus_inside=minus_inside,
    )


def _top(grid: Grid, values: F64) -> tuple[tuple[float, float], float, bool]:
    """Return place, height and whether all eight neighbours are seen, by a quadratic through them."""
    row, column = (int(k) for k in np.unravel_index(int(np.argmax(values)), values.shape))
    around = values[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    inside = around.shape == (3, 3) and bool(np.isfinite(around).all())
    place = float(grid.x[column]), float(grid.y[row])
    if not inside:
        return place, float(values[row, column]), False
    gx, gy = (around[1, 2] - around[1, 0]) / 2, (around[2, 1] - around[0, 1]) / 2
    hxx = around[1, 2] - 2 * around[1, 1] + around[1, 0]
    hyy = around[2, 1] - 2 * around[1, 1] + around[0, 1]
    hxy = (around[2, 2] - around[2, 0] - around[0, 2] + around[0, 0]) / 4
    determinant = hxx * hyy - hxy * hxy
    if hxx >= 0 or determinant <= 0:
        return place, float(values[row, column]), True
    dx, dy = (hxy * gy - hyy * gx) / determinant, (hxy * gx - hxx * gy) / determinant
    dx, dy = float(np.clip(dx, -1, 1)), float(np.clip(dy, -1, 1))
    top = float(around[1, 1] + 0.5 * (gx * dx + gy * dy))
    return (place[0] + dx * float(grid.x[1] - grid.x[0]), place[1] + dy * float(grid.y[1] - grid.y[0])), top, True


@dataclass(frozen=True, slots=True)
class Currents:
    """What the pseudo-current of a map says; angles as in docs/parameters.md."""

    strongest: float  # T/m, the longest arrow
    angle: float  # deg, its direction
    total: float  # T·m, length of the sum of all arrows times the pixel's area
    total_angle: float  # deg, its direction


def currents(grid: Grid, jx: F64, jy: F64) -> Currents:
    """Return the strongest and the total current vector of one map (ny, nx) T/m."""
    mask: BOOL = grid.mask
    x, y = jx[mask], jy[mask]
    k = int(np.argmax(x * x + y * y))
    area = float((grid.x[1] - grid.x[0]) * (grid.y[1] - grid.y[0]))
    total = float(x.sum()) * area, float(y.sum()) * area
    return Currents(
        strongest=float(np.hypot(x[k], y[k])),
        angle=float(np.degrees(np.arctan2(y[k], x[k]))),
        total=float(np.hypot(*total)),
        total_angle=float(np.degrees(np.arctan2(total[1], total[0]))),
    )
