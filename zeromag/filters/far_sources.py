"""Interference as a room makes it: magnetic dipoles a few metres away, seen by sensors with small gain errors."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray


@lru_cache(maxsize=2)
def far_fields(sensors: SensorArray, distance: float = 3.0, count: int = 200, seed: int = 0) -> NDArray[np.float64]:
    """Return what located sensors read of magnetic dipoles at this distance (m) all around: (n_channels, count).

    In units of µ0/4π · 1 A·m²; channels without a place read nothing. Kept, and not to be changed.
    """
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(sensors.located())
    seen = np.zeros((len(sensors), count))
    if len(rows) == 0:
        return seen
    direction = rng.normal(size=(count, 3))
    moment = rng.normal(size=(count, 3))
    source = sensors.positions[rows].mean(axis=0)
    source = source + distance * direction / np.linalg.norm(direction, axis=1)[:, None]
    away = sensors.positions[rows][:, None, :] - source
    reach = np.linalg.norm(away, axis=2)[..., None]
    field = 3 * away * (away * moment).sum(axis=2, keepdims=True) / reach**5 - moment / reach**3
    seen[rows] = (field * sensors.axes[rows][:, None, :]).sum(axis=2)
    seen.setflags(write=False)
    return seen


def predicted_shielding(
    matrix: NDArray[np.float64], sensors: SensorArray, *, gain_error: float = 0.01, distance: float = 3.0
) -> float:
    """Return how far an operator (n_channels, n_channels) attenuates far sources on the `mag` channels, median dB.

    `gain_error` is the standard deviation of the sensors' gains: 1 % caps every spatial method near 40 dB.
    """
    mag = sensors.of_kind("mag")
    fields = far_fields(sensors, distance)
    read = fields * (1 + gain_error * np.random.default_rng(1).normal(size=len(sensors)))[:, None]
    before = np.sqrt((read[mag] ** 2).sum(axis=0))
    after = np.sqrt(((matrix @ read)[mag] ** 2).sum(axis=0))
    return float(np.median(20 * np.log10(np.maximum(before, 1e-300) / np.maximum(after, 1e-300))))
