"""The poles of a field map and the angles and sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag.mapping.field_map import Grid


@kernel
def _to_the_edge(mask: BOOL, i: int, j: int, wide: float, high: float) -> float:
    """Return how far the nearest pixel that is not seen, or the grid's edge, lies from a pixel."""
    rows, columns = mask.shape
    near = min(j * wide, (columns - 1 - j) * wide, i * high, (rows - 1 - i) * high)
    for r in range(rows):
        for c in range(columns):
            if not mask[r, c]:
                near = min(near, np.sqrt(((r - i) * high) ** 2 + ((c - j) * wide) ** 2))
    return float(near)


@kernel
def _extrema(bz: F64, mask: BOOL, x: F64, y: F64, margin: float, out: F64) -> None:
    """Write x, y, height and whether it is inside of the highest and lowest pixel seen: `out` (n, 2, 4)."""
    rows, columns = mask.shape
    wide, high = x[1] - x[0], y[1] - y[0]
    for m in range(bz.shape[0]):
        for pole in range(2):
            sign = 1.0 if pole == 0 else -1.0
            top, i, j = -np.inf, 0, 0
            for r in range(rows):
                for c in range(columns):
                    if mask[r, c] and sign * bz[m, r, c] > top:
                        top, i, j = sign * bz[m, r, c], r, c
            dx, dy = 0.0, 0.0
            inside = 0 < i < rows - 1 and 0 < j < columns - 1
            if inside:
                for r in range(i - 1, i + 2):
                    for c in range(j - 1, j + 2):
                        inside = inside and mask[r, c]
            if inside:
                v = sign * bz[m, i - 1 : i + 2, j - 1 : j + 2]
                gx, gy = (v[1, 2] - v[1, 0]) / 2, (v[2, 1] - v[0, 1]) / 2
                xx, yy = v[1, 2] - 2 * v[1, 1] + v[1, 0], v[2, 1] - 2 * v[1, 1] + v[0, 1]
                xy = (v[2, 2] - v[2, 0] - v[0, 2] + v[0, 0]) / 4
                determinant = xx * yy - xy * xy
                if xx < 0.0 and determinant > 0.0:
                    dx = min(max((xy * gy - yy * gx) / determinant, -1.0), 1.0)
                    dy = min(max((xy * gx - xx * gy) / determinant, -1.0), 1.0)
                    top += 0.5 * (gx * dx + gy * dy)
                inside = _to_the_edge(mask, i, j, wide, high) >= margin
            out[m, pole, 0], out[m, pole, 1] = x[j] + dx * wide, y[i] + dy * high
            out[m, pole, 2], out[m, pole, 3] = top, 1.0 if inside else 0.0


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


def poles(grid: Grid, bz: F64, margin: float = 0.0) -> Poles:
    """Return the poles of one map (ny, nx) T, their places refined between pixels.

    A pole is inside when the array sees further than `margin` m beyond it on all sides.
    """
    return poles_of_maps(grid, bz[None], margin)[0]


def poles_of_maps(grid: Grid, bz: F64, margin: float = 0.0) -> list[Poles]:
    """Return the poles of each of some maps (n, ny, nx) T."""
    out = np.empty((len(bz), 2, 4))
    _extrema(np.ascontiguousarray(bz), grid.mask, grid.x, grid.y, margin, out)
    return [_pair(plus, minus) for plus, minus in out.tolist()]


def _pair(plus: list[float], minus: list[float]) -> Poles:
    across, up = minus[0] - plus[0], minus[1] - plus[1]
    return Poles(
        plus=(plus[0], plus[1]),
        minus=(minus[0], minus[1]),
        plus_field=plus[2],
        minus_field=-minus[2],
        angle=float(np.degrees(np.arctan2(up, across))),
        distance=float(np.hypot(across, up)),
        ratio=plus[2] / minus[2] if minus[2] > 0 else float("inf"),
        plus_inside=plus[3] > 0,
        minus_inside=minus[3] > 0,
    )


@dataclass(frozen=True, slots=True)
class Currents:
    """What the pseudo-current of a map says; angles as in docs/parameters.md."""

    strongest: float  # T/m, the longest arrow
    angle: float  # deg, its direction
    total: float  # T·m, length of the sum of all arrows times the pixel's area
    total_angle: float  # deg, its direction
    vector: tuple[float, float]  # T·m, that sum along x and y


def currents(grid: Grid, jx: F64, jy: F64) -> Currents:
    """Return the strongest and the total current vector of one map (ny, nx) T/m."""
    mask: BOOL = grid.mask
    x, y = jx[mask], jy[mask]
    top_x, top_y = _longest(jx, jy, mask)
    area = float((grid.x[1] - grid.x[0]) * (grid.y[1] - grid.y[0]))
    total = float(x.sum()) * area, float(y.sum()) * area
    return Currents(
        strongest=float(np.hypot(top_x, top_y)),
        angle=float(np.degrees(np.arctan2(top_y, top_x))),
        total=float(np.hypot(*total)),
        total_angle=float(np.degrees(np.arctan2(total[1], total[0]))),
        vector=total,
    )


@kernel
def _longest(jx: F64, jy: F64, mask: BOOL) -> tuple[float, float]:
    """Return the longest arrow: where a quadratic through the 3 × 3 squares of lengths around the longest peaks."""
    rows, columns = mask.shape
    top, i, j = -1.0, 0, 0
    for r in range(rows):
        for c in range(columns):
            length = jx[r, c] ** 2 + jy[r, c] ** 2
            if mask[r, c] and length > top:
                top, i, j = length, r, c
    inside = 0 < i < rows - 1 and 0 < j < columns - 1
    if inside:
        for r in range(i - 1, i + 2):
            for c in range(j - 1, j + 2):
                inside = inside and mask[r, c]
    if not inside:
        return jx[i, j], jy[i, j]
    v = jx[i - 1 : i + 2, j - 1 : j + 2] ** 2 + jy[i - 1 : i + 2, j - 1 : j + 2] ** 2
    gx, gy = (v[1, 2] - v[1, 0]) / 2, (v[2, 1] - v[0, 1]) / 2
    xx, yy = v[1, 2] - 2 * v[1, 1] + v[1, 0], v[2, 1] - 2 * v[1, 1] + v[0, 1]
    xy = (v[2, 2] - v[2, 0] - v[0, 2] + v[0, 0]) / 4
    determinant = xx * yy - xy * xy
    if not (xx < 0.0 and determinant > 0.0):
        return jx[i, j], jy[i, j]
    dx = min(max((xy * gy - yy * gx) / determinant, -1.0), 1.0)
    dy = min(max((xy * gx - xx * gy) / determinant, -1.0), 1.0)
    return _between(jx, i, j, dx, dy), _between(jy, i, j, dx, dy)


@kernel
def _between(values: F64, i: int, j: int, dx: float, dy: float) -> float:
    """Return the quadratic through 3 × 3 pixels around (i, j), dx and dy pixels away from it."""
    v = values[i - 1 : i + 2, j - 1 : j + 2]
    gx, gy = (v[1, 2] - v[1, 0]) / 2, (v[2, 1] - v[0, 1]) / 2
    xx, yy = v[1, 2] - 2 * v[1, 1] + v[1, 0], v[2, 1] - 2 * v[1, 1] + v[0, 1]
    xy = (v[2, 2] - v[2, 0] - v[0, 2] + v[0, 0]) / 4
    return float(v[1, 1] + gx * dx + gy * dy + 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy)
