"""Fields whose sources are far outside the array: uniform fields and their gradients."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray

# The five gradients of a field without divergence and curl, B = G r, G symmetric and without trace
GRADIENTS = np.array(
    [
        [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]],
        [[-0.5, 0.0, 0.0], [0.0, -0.5, 0.0], [0.0, 0.0, 1.0]],
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
    ]
)


class FieldStream(Protocol):
    """An interference that was started; it is asked for chunks of one length, in order from sample 0."""

    def __call__(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return what each sensor reads of it: (samples, n_channels) T."""
        ...


class Interference(Protocol):
    """Settings of one interference of the room, physical in space: each sensor reads it along its own axis."""

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        ...

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the interference at these sensors; all must have a place."""
        ...


def middle(sensors: SensorArray) -> NDArray[np.float64]:
    """Return the middle of the heart channels (of all when there are none): (3,) m."""
    rows = sensors.of_kind("mag")
    places: NDArray[np.float64] = sensors.positions[rows] if len(rows) else sensors.positions
    centre: NDArray[np.float64] = places.mean(axis=0)
    return centre


def outside_basis(sensors: SensorArray) -> NDArray[np.float64]:
    """Return what sensors read of three uniform fields (T) and five gradients (T/m): (n_channels, 8)."""
    away = sensors.positions - middle(sensors)
    gradients = np.stack([(sensors.axes * (away @ gradient)).sum(axis=1) for gradient in GRADIENTS], axis=1)
    return np.concatenate([sensors.axes, gradients], axis=1)


def rms_over_heart_channels(pattern: NDArray[np.float64], sensors: SensorArray) -> float:
    """Return the rms over the heart channels (all when there are none) of a pattern (..., n_channels)."""
    rows = sensors.of_kind("mag")
    seen = pattern[..., rows] if len(rows) else pattern
    return float(np.sqrt(np.mean(seen**2)))
