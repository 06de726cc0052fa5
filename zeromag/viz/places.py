"""Where things lie on a map: its outer edges, and the sensors in the array's own frame."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.field_map import Grid
from zeromag.physics.frame import array_frame
from zeromag.sensors import SensorArray

FEW_PLACES: Final = "the picture of the array needs 3 magnetometers with positions"


def edges(grid: Grid) -> tuple[float, float, float, float]:
    """Return the outer edges of the grid's pixels: patient's right, left, foot, head (m)."""
    x, y = grid.x, grid.y
    half_x = float(x[-1] - x[0]) / max(len(x) - 1, 1) / 2
    half_y = float(y[-1] - y[0]) / max(len(y) - 1, 1) / 2
    return float(x[0]) - half_x, float(x[-1]) + half_x, float(y[0]) - half_y, float(y[-1]) + half_y


def heart_places(sensors: SensorArray) -> list[tuple[str, float, float]]:
    """Return the heart channels that have a place: name, x, y (m) in the array's frame; none for fewer than three."""
    located = sensors.located()
    rows = [c for c in sensors.of_kind("mag").tolist() if located[c]]
    if len(rows) < 3:
        return []
    places = array_frame(sensors).inside(sensors.positions[rows])
    return [(sensors.names[c], float(p[0]), float(p[1])) for c, p in zip(rows, places, strict=True)]


def pitch(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the smallest usual distance between sensors, those at one place counted once (m)."""
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    apart[apart < 1e-3] = np.inf
    return float(np.median(apart.min(axis=1))) if np.isfinite(apart).any() else 0.04
