"""The array's own frame: where its plane lies and which way is out of the chest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A right-handed frame: origin in the middle of the array, z out of the chest, y towards the head."""

    origin: NDArray[np.float64]  # (3,) m
    rotation: NDArray[np.float64]  # (3, 3), rows: the frame's x, y, z in the array's coordinates

    def inside(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (n, 3) m, given in the array's coordinates, in this frame."""
        return (np.asarray(points) - self.origin) @ self.rotation.T

    def turned(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return directions (n, 3), given in the array's coordinates, in this frame."""
        return np.asarray(vectors) @ self.rotation.T

    def outside(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (n, 3) m of this frame in the array's coordinates."""
        return np.asarray(points) @ self.rotation + self.origin


def array_frame(sensors: SensorArray) -> Frame:
    """Return the frame of the heart channels (`mag`) that have a place.

    The normal is the direction in which the positions spread least (for an array with depth: the mean
    sensitive axis); out of the chest is the side with positive z, since z points out of the chest in the
    coordinates of a `SensorArray`. An array within 1° of the xy plane keeps the axes as they are, so that
    rounding turns no map.

    Raises
    ------
    ValueError
        If fewer than three `mag` channels have a place.
    """
    rows = sensors.of_kind("mag")
    rows = rows[sensors.located()[rows]]
    if len(rows) < 3:
        raise ValueError(f"an array's plane needs 3 magnetometers with positions, got {len(rows)}")
    places = sensors.positions[rows]
    origin = places.mean(axis=0)
    _, spread, directions = np.linalg.svd(places - origin, full_matrices=False)
    normal = directions[2]
    mean_axis = sensors.axes[rows].mean(axis=0)
    if spread[2] > 0.5 * spread[1] and np.linalg.norm(mean_axis) > 0.5:
        normal = mean_axis / np.linalg.norm(mean_axis)
    if normal[2] < 0:
        normal = -normal
    if normal[2] > np.cos(np.radians(1.0)):
        return Frame(origin, np.eye(3))
    head = np.array([0.0, 1.0, 0.0]) if abs(normal[1]) < 0.9 else np.array([0.0, 0.0, -np.sign(normal[1])])
    up = head - (head @ normal) * normal
    up /= np.linalg.norm(up)
    return Frame(origin, np.stack([np.cross(up, normal), up, normal]))
