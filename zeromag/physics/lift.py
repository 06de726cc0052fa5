"""A lift: a heavy magnetic body that moves a few floors and stays there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.magnetic_dipole import magnetic_dipole
from zeromag.physics.outside import FieldStream, middle, rms_over_heart_channels
from zeromag.sensors import SensorArray

PLACE = (4.5, 2.0)  # m, where its shaft stands from the array
BOTTOM, TOP = -6.0, 5.0  # m, heights it travels between


@dataclass(frozen=True, slots=True)
class Lift:
    """A magnetic dipole that goes up at `start_s`, down half a period later, and so on.

    The field at the start is part of the static residual: a lift that stands makes none. `amplitude` is
    the largest change on the way up, rms over the heart channels.
    """

    amplitude: float = 150e-12  # T
    start_s: float = 20.0  # s, it begins to rise
    travel_s: float = 6.0  # s, one way
    period_s: float = 120.0  # s, up and down

    def __post_init__(self) -> None:
        if not (self.start_s >= 0 and 0 < self.travel_s < self.period_s / 2):
            raise ValueError(f"a lift needs start_s from 0 up and travel_s below half of period_s, got {self}")

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "lift"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the lift's field at these sensors."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        moment = random.normal(size=3) + np.array([0.0, 0.0, 2.0])
        centre = middle(sensors)

        def raw(height: NDArray[np.float64]) -> NDArray[np.float64]:
            places = np.stack([np.full_like(height, PLACE[0]), np.full_like(height, PLACE[1]), height], axis=1)
            fields = magnetic_dipole(np.broadcast_to(moment, places.shape), centre + places, sensors.positions)
            return np.asarray((fields * sensors.axes).sum(axis=-1))

        rest = raw(np.array([BOTTOM]))
        way = raw(np.linspace(BOTTOM, TOP, 111)) - rest
        scale = self.amplitude / max(rms_over_heart_channels(row, sensors) for row in way)
        parked = {0.0: np.zeros(len(sensors)), 1.0: way[-1] * scale}

        def field(first: int, samples: int) -> NDArray[np.float64]:
            part = self.travelled((first + np.arange(samples)) / rate)
            if part[0] in parked and np.all(part == part[0]):
                return np.broadcast_to(parked[float(part[0])], (samples, len(sensors)))
            return (raw(BOTTOM + (TOP - BOTTOM) * part) - rest) * scale

        return field

    def travelled(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far up the lift is at these times (s): 0 to 1, starting and stopping smoothly."""
        turn = time - self.start_s
        since = turn % self.period_s
        up = np.clip(since / self.travel_s, 0, 1)
        down = np.clip((since - self.period_s / 2) / self.travel_s, 0, 1)
        smooth = up**3 * (10 - 15 * up + 6 * up**2) - down**3 * (10 - 15 * down + 6 * down**2)
        part: NDArray[np.float64] = np.where(turn < 0, 0.0, smooth)
        return part
