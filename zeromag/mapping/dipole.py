"""The moving equivalent current dipole: place, moment, how good and how sure, at every instant of a beat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.average import Average
from zeromag.mapping.dipole_kernel import best_start, fit_place, half_space_gain, place_covariance
from zeromag.physics.frame import array_frame
from zeromag.sensors import SensorArray

CHI2 = 7.815  # 95 % of χ² with 3 degrees of freedom
PARAMETERS = 5  # place and two tangential moments


@dataclass(frozen=True, slots=True)
class Dipole:
    """One fitted dipole, in the array's own frame (origin in its middle, z out of the chest)."""

    time: float  # s from R
    position: tuple[float, float, float]  # m
    moment: tuple[float, float, float]  # A·m, tangential
    goodness: float  # 1 − |residual|²/|field|²
    volume: float  # m³, of the ellipsoid that holds the place with 95 %
    bound: float  # m, Cramér–Rao: the least root-mean-square error of the place (Mosher 1993)
    chi2: float  # |residual|²/(n − 5) in units of the noise: about 1 when one dipole explains all


@dataclass(frozen=True, slots=True)
class DipoleFit:
    """Settings of the fit over a half-space: where it looks, relative to the middle of the array."""

    reach: float = 0.12  # m to each side
    nearest: float = 0.02  # m below the lowest sensor
    farthest: float = 0.25  # m below it
    pitch: float = 0.03  # m, of the places that the search starts from

    def of(self, sensors: SensorArray, good: BOOL, noise: F64) -> DipoleFitter:
        """Return the fitter for these channels (n,) and their noise (n,) T.

        Raises
        ------
        ValueError
            If fewer than six channels can be used: a dipole has five unknowns.
        """
        return DipoleFitter(self, sensors, good, noise)


class DipoleFitter:
    """The starting grid of one set of channels, projected once, and the compiled fit."""

    def __init__(self, settings: DipoleFit, sensors: SensorArray, good: BOOL, noise: F64) -> None:
        heart = np.zeros(len(sensors), dtype=np.bool_)
        heart[sensors.of_kind("mag")] = True
        self.good: BOOL = good & heart & sensors.located() & sensors.usable()
        if (count := int(self.good.sum())) <= PARAMETERS:
            raise ValueError(
                f"a dipole needs {PARAMETERS + 1} good magnetometers with positions, and there are {count}"
            )
        frame = array_frame(sensors)
        self._columns = np.flatnonzero(self.good)
        self._positions: F64 = np.ascontiguousarray(frame.inside(sensors.positions[self.good]))
        self._axes: F64 = np.ascontiguousarray(frame.turned(sensors.axes[self.good]))
        self._weight: F64 = 1.0 / np.maximum(noise[self.good], 1e-18)
        lowest = float(self._positions[:, 2].min())
        low = np.array([-settings.reach, -settings.reach, lowest - settings.farthest])
        high = np.array([settings.reach, settings.reach, lowest - settings.nearest])
        self._box: F64 = np.stack([low, high])
        axes = [np.arange(a, b + 1e-9, settings.pitch) for a, b in zip(low, high, strict=True)]
        self._places: F64 = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        gains = np.empty((len(self._places), count, 2))
        for place, gain in zip(self._places, gains, strict=True):
            half_space_gain(place, self._positions, self._axes, self._weight, gain)
        self._bases: F64 = np.ascontiguousarray(np.linalg.qr(gains)[0].transpose(1, 2, 0))

    def __call__(self, reading: F64, time: float = 0.0) -> Dipole:
        """Return the dipole that explains one reading (n_channels,) T best."""
        y = reading[self._columns] * self._weight
        place = self._places[best_start(y, self._bases)].copy()
        q, square, bound = np.zeros(2), np.zeros((3, 4)), np.empty((3, 3))
        cost = fit_place(y, place, self._positions, self._axes, self._weight, self._box, q, square)
        chi2 = cost / (len(y) - PARAMETERS)
        determinant = place_covariance(square, bound)
        # a misfit beyond the noise widens the volume: the model is then as doubtful as the noise
        size = 4 / 3 * math.pi * math.sqrt((CHI2 * max(1.0, chi2)) ** 3 * max(0.0, determinant))
        power = float(y @ y)
        x, up, out = place.tolist()
        return Dipole(
            time=time,
            position=(x, up, out),
            moment=(float(q[0]), float(q[1]), 0.0),
            goodness=1.0 - cost / power if power > 0 else float("nan"),
            volume=size,
            bound=math.sqrt(bound[0, 0] + bound[1, 1] + bound[2, 2]),
            chi2=chi2,
        )


def moving_dipole(average: Average, settings: DipoleFit | None = None, every: int = 1) -> tuple[Dipole, ...]:
    """Return a dipole for every `every`-th sample of an averaged beat.

    Raises
    ------
    ValueError
        If too few channels are good; one sentence.
    """
    fitter = (settings or DipoleFit()).of(average.sensors, average.good, average.noise)
    rows = range(0, len(average.time), every)
    return tuple(fitter(average.wave[row], float(average.time[row])) for row in rows)
