"""A small analytic heart for the tests of mapping: one dipole whose two moments are sums of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.arrays import UP, array, grid
from zeromag.block import Block
from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.sensors import SensorArray

F64 = NDArray[np.float64]
RATE = 1000.0

# s from R, width s, moment along x and y in µA·m
WAVES: tuple[tuple[float, float, float, float], ...] = (
    (-0.16, 0.020, 1.0, 0.5),
    (-0.03, 0.008, -1.0, 2.0),
    (0.0, 0.012, 10.0, -8.0),
    (0.035, 0.010, -2.0, 3.0),
    (0.25, 0.045, 2.5, -2.2),
    (0.29, 0.030, 1.0, -0.3),
)
PREMATURE: tuple[tuple[float, float, float, float], ...] = ((0.0, 0.030, -9.0, -12.0), (0.26, 0.05, 4.0, 3.0))


def planar(side: int = 6, pitch: float = 0.04) -> SensorArray:
    places = grid(side, pitch)
    return array(places, np.tile(UP, (len(places), 1)))


@dataclass(frozen=True)
class TestHeart:
    """A heart at one place; `moments` is its dipole at times from R."""

    __test__ = False

    place: tuple[float, float, float] = (0.01, 0.02, -0.10)

    def gains(self, sensors: SensorArray) -> F64:
        """T/(A·m), (n_channels, 3)."""
        return lead_field(HalfSpace(), np.array([self.place]), sensors.positions, sensors.axes)[:, 0, :]

    def beat(self, time: F64, waves: tuple[tuple[float, float, float, float], ...] = WAVES) -> F64:
        """Moments (n_times, 3) A·m around one R."""
        moments = np.zeros((len(time), 3))
        for middle, width, x, y in waves:
            pulse = 1e-6 * np.exp(-0.5 * ((time - middle) / width) ** 2)
            moments[:, 0] += x * pulse
            moments[:, 1] += y * pulse
        return moments

    def field(
        self, sensors: SensorArray, seconds: float, peaks: F64, early: tuple[int, ...] = (), rate: float = RATE
    ) -> F64:
        """T, (n_samples, n_channels): a beat at each of `peaks` s, those with numbers in `early` of another shape."""
        time = np.arange(round(seconds * rate)) / rate
        moments = np.zeros((len(time), 3))
        for k, peak in enumerate(peaks):
            near = slice(*np.searchsorted(time, [peak - 0.4, peak + 0.7]).tolist())
            moments[near] += self.beat(time[near] - peak, PREMATURE if k in early else WAVES)
        return moments @ self.gains(sensors).T


def regular(seconds: float, rr: float, seed: int = 1, spread: float = 0.02) -> F64:
    """R times, s."""
    steps = np.random.default_rng(seed).normal(rr, spread * rr, round(2 * seconds / rr) + 2)
    peaks = 0.4 + np.cumsum(steps)
    return peaks[peaks < seconds - 0.7]


def as_blocks(
    data: F64,
    sensors: SensorArray,
    size: int,
    *,
    first: int = 0,
    mask: NDArray[np.bool_] | None = None,
    rate: float = RATE,
) -> list[Block]:
    whole = Block(data=np.ascontiguousarray(data), first=first, rate=rate, sensors=sensors, mask=mask)
    return [whole.part(k, min(k + size, len(data))) for k in range(0, len(data), size)]
