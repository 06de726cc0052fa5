"""How real sensors differ from the drawing: gain, direction, place, and what their neighbours add."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True, eq=False)
class RealArray:
    """The array as it is: `sensors` where they stand and point, and how their readings mix."""

    sensors: SensorArray
    gain: NDArray[np.float64]  # (n_channels,)
    mixing: NDArray[np.float64] | None  # (n_channels, n_channels) I + C, None: no crosstalk
    offset: NDArray[np.float64] | None = None  # (n_channels,) T, None: no reading without a field

    def read(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the readings y = g (I + C) x + o of the field along each axis: (samples, n_channels) T."""
        mixed = field if self.mixing is None else field @ self.mixing.T
        read: NDArray[np.float64] = mixed * self.gain
        return read if self.offset is None else read + self.offset


@dataclass(frozen=True, slots=True)
class SensorErrors:
    """Standard deviations of what differs from sensor to sensor; all drawn once, by the seed.

    `crosstalk` is c0 of c_ij = c0 (d_min / d_ij)³ between parallel sensors: a sensor's own modulation field
    is a dipole's, and falls with the third power of the distance.
    """

    gain: float = 0.0  # relative
    tilt: float = 0.0  # rad, rms angle between wanted and real axis
    position: float = 0.0  # m, per coordinate
    crosstalk: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.gain < 1 and 0 <= self.tilt < np.pi / 4 and 0 <= self.position < 0.05):
            raise ValueError(
                "sensor errors must be 0 to 1 (gain), 0 to 45° (tilt), 0 to 50 mm (position), "
                f"got {self.gain:g}, {np.degrees(self.tilt):g}°, {self.position * 1e3:g} mm"
            )
        if not -0.5 < self.crosstalk < 0.5:
            raise ValueError(f"crosstalk must be within ±0.5, got {self.crosstalk:g}")

    def draw(self, sensors: SensorArray, seed: tuple[int, ...]) -> RealArray:
        """Return the array as built."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        n = len(sensors)
        gain = 1 + self.gain * random.standard_normal(n)
        lean = self.tilt / np.sqrt(2) * random.standard_normal((n, 3))
        shift = self.position * random.standard_normal((n, 3))
        lean -= (lean * sensors.axes).sum(axis=1, keepdims=True) * sensors.axes
        axes = sensors.axes + lean
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        real = (
            replace(sensors, axes=axes, positions=sensors.positions + shift) if self.tilt or self.position else sensors
        )
        return RealArray(real, gain, self._mixing(real) if self.crosstalk else None)

    def _mixing(self, sensors: SensorArray) -> NDArray[np.float64]:
        """Return I + C."""
        distance = np.linalg.norm(sensors.positions[:, None] - sensors.positions[None], axis=2)
        apart = distance > 1e-3  # the axes of one triaxial sensor do not disturb each other in this model
        parallel = sensors.axes @ sensors.axes.T
        nearest = distance[apart].min() if apart.any() else 1.0
        coupling = np.where(apart, self.crosstalk * parallel * (nearest / np.where(apart, distance, 1.0)) ** 3, 0.0)
        mixing: NDArray[np.float64] = np.eye(len(sensors)) + coupling
        return mixing
