"""A magnetic dipole at any distance that swings at one frequency: a pump, a motor, a transformer next door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.magnetic_dipole import magnetic_dipole
from zeromag.physics.outside import FieldStream, middle, rms_over_heart_channels
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True)
class Motor:
    """A dipole `distance` metres from the array's middle, in a direction and with a moment drawn by the seed.

    The nearer it is, the less its field is one of uniform fields and few gradients: what a spatial filter's
    order has to follow.
    """

    amplitude: float  # T, of the sine, rms over the heart channels
    distance: float  # m
    frequency: float  # Hz

    def __post_init__(self) -> None:
        if not self.distance >= 0.2:
            raise ValueError(f"a motor must be 0.2 m or more away from the array's middle, got {self.distance:g} m")

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "motor"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the motor's field at these sensors."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        way, moment = random.normal(size=(2, 3))
        way[2] = abs(way[2])  # never below: there the patient lies
        place = middle(sensors) + self.distance * way / np.linalg.norm(way)
        pattern = (magnetic_dipole(moment, place, sensors.positions) * sensors.axes).sum(axis=-1)
        pattern *= self.amplitude / rms_over_heart_channels(pattern, sensors)
        phase = random.uniform(0, 2 * np.pi)

        def field(first: int, samples: int) -> NDArray[np.float64]:
            # whole turns are taken off before the sine, so that it is as good after a week
            turns = (first + np.arange(samples)) * (self.frequency / rate) % 1.0
            out: NDArray[np.float64] = np.sin(2 * np.pi * turns + phase)[:, None] * pattern
            return out

        return field
