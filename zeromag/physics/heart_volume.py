"""Where a heart can be below an array: the grid of dipoles that filters and maps reckon with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.frame import Frame
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True)
class HeartVolume:
    """A box of dipole places in the array's frame, relative to the middle of the array."""

    half_width: float = 0.04  # m, patient's left and right
    half_height: float = 0.05  # m, head and foot
    nearest: float = 0.07  # m below the sensors
    farthest: float = 0.13  # m below the sensors
    pitch: float = 0.02  # m

    def points(self) -> NDArray[np.float64]:
        """Return the places of the grid: (n, 3) m, z negative."""
        x = _steps(-self.half_width, self.half_width, self.pitch)
        y = _steps(-self.half_height, self.half_height, self.pitch)
        z = _steps(-self.farthest, -self.nearest, self.pitch)
        return np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)

    def lead_field(self, conductor: Conductor, sensors: SensorArray, frame: Frame) -> NDArray[np.float64]:
        """Return the lead field of the whole volume: (n_channels, n_points, 3) T/(A·m); all must have a place."""
        return lead_field(conductor, self.points(), frame.inside(sensors.positions), frame.turned(sensors.axes))


def _steps(low: float, high: float, pitch: float) -> NDArray[np.float64]:
    return np.linspace(low, high, max(2, round((high - low) / pitch) + 1))
