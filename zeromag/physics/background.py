"""The broadband field of the surroundings: the Earth's and the city's rumble through the shield, and the wall's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.noise import GROUPS, NoiseStream
from zeromag.physics.outside import FieldStream, outside_basis
from zeromag.physics.shielding import NONE, Shielding
from zeromag.sensors import SensorArray

LOWEST = 0.3  # Hz


@dataclass(frozen=True, slots=True)
class Background:
    """Gaussian fields that are uniform over the array, and a weaker part of gradients.

    The density of each component is √[(outside · f^-slope / S(f))² + wall²], S the shielding factor; it stays
    level below 0.3 Hz, where `Drift` takes over.
    """

    outside: float = 30e-12  # T/√Hz at 1 Hz, before the shield
    slope: float = 1.4  # geomagnetic noise falls so (amplitude)
    wall: float = 0.5e-15  # T/√Hz, thermal currents in the walls (Khan & Cohen 2013: about 0.5 fT/√Hz)
    shielding: Shielding = NONE
    gradient: float = 0.1  # 1/m, each gradient over each component: sources about 10 m away

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "background"

    def density(self, frequency: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the amplitude density of one component: T/√Hz."""
        rising = np.maximum(np.asarray(frequency, dtype=np.float64), LOWEST)
        through = self.outside * rising**-self.slope / self.shielding.factor(rising)
        return np.hypot(through, self.wall)

    def weights(self, sensors: SensorArray) -> NDArray[np.float64]:
        """Return what sensors read of each of the eight independent fields: (8, n_channels)."""
        weights: NDArray[np.float64] = (outside_basis(sensors) * np.repeat([1.0, self.gradient], [3, 5])).T
        return weights

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the background at these sensors."""
        weights = self.weights(sensors)
        streams: list[NoiseStream] = []

        def field(first: int, samples: int) -> NDArray[np.float64]:
            if not streams:
                streams.append(NoiseStream(self, np.ones(8), rate, samples, seed, GROUPS))
            out: NDArray[np.float64] = streams[0].chunk(first // samples) @ weights
            return out

        return field
