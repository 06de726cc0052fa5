"""What of a map depends on the array alone, and the weights that follow once it is said which channels are good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.gains import bz_with_slopes, moments
from zeromag.mapping.map_grid import map_grid
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.frame import Frame, array_frame
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray


class Weights(NamedTuple):
    """What turns readings into the field and its slopes, what stays unknown of it, and what that came from."""

    value: F64  # (n_good, n_pixels); behind `moments`, (n_moments, n_pixels)
    dx: F64  # the same, 1/m
    dy: F64
    variance: F64  # (n_pixels,) T², a posteriori; rounding may leave it below zero
    inverse: F64  # (n_good, n_good) 1/T², of the readings' covariance
    moments: F64 | None = None  # (n_good, n_moments) A·m/T, from which the field is had where they are fewer


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Covariances of sensors and pixels for unit dipoles in the volume, or of more channels than moments, their gains.

    A thousand channels read no more than a few hundred moments: by way of these the same map takes a third.
    """

    places: F64  # (n, 2) m, in the array's plane
    seen: F64  # (n, n_moments) T/(A·m), gains of the sensors
    between: F64  # (n, n) of the sensors
    onto: F64  # (n_pixels, n) of pixels and sensors; `by_moments`, gains of the pixels (n_pixels, n_moments)
    by_x: F64  # the same of slopes along x, 1/m
    by_y: F64
    prior: F64  # (n_pixels,) of the pixels themselves
    by_moments: bool

    def weights(self, take: BOOL, doubt: F64, strength: float) -> Weights:
        """Return the weights of some sensors (n,), whose noise has the variance `doubt` (n_good,) T²."""
        return (self._by_moments if self.by_moments else self._by_sensors)(take, doubt, strength)

    def _by_sensors(self, take: BOOL, doubt: F64, strength: float) -> Weights:
        """Ŵ = s K_gs (s K_ss + C)⁻¹."""
        inverse = np.linalg.inv(strength * self.between[np.ix_(take, take)] + np.diag(doubt))
        inverse = (inverse + inverse.T) / 2
        strong = [strength * one[:, take] for one in (self.onto, self.by_x, self.by_y)]
        weights = [one @ inverse for one in strong]
        spread = strength * self.prior - np.sum(weights[0] * strong[0], axis=1)
        value, dx, dy = (np.ascontiguousarray(one.T) for one in weights)
        return Weights(value, dx, dy, spread, inverse)

    def _by_moments(self, take: BOOL, doubt: F64, strength: float) -> Weights:
        """Ŵ = L_g · (1/s + L_sᵀ C⁻¹ L_s)⁻¹ L_sᵀ C⁻¹, the same by the matrix inversion lemma."""
        seen = self.seen[take]
        over = seen / doubt[:, None]
        sure = np.linalg.inv(np.eye(seen.shape[1]) / strength + over.T @ seen)
        sure = (sure + sure.T) / 2
        back = over @ sure
        inverse = np.diag(1 / doubt) - back @ over.T
        value, dx, dy = (np.ascontiguousarray(one.T) for one in (self.onto, self.by_x, self.by_y))
        variance = np.sum((self.onto @ sure) * self.onto, axis=1)
        return Weights(value, dx, dy, variance, (inverse + inverse.T) / 2, back)


@lru_cache(maxsize=4)
def geometry(
    conductor: Conductor, volume: HeartVolume, pixels: int, sensors: SensorArray, plane: Frame | None, reach: float
) -> Geometry:
    """Return the geometry of the channels that can be mapped; kept, since every class and step asks again."""
    frame = plane or array_frame(sensors)
    placed = sensors.pick(np.flatnonzero(mappable(sensors)))
    places = frame.inside(placed.positions)
    sources, n = volume.points(), moments(conductor)
    seen = lead_field(conductor, sources, places, frame.turned(placed.axes))[:, :, :n].reshape(len(placed), -1)
    grid = map_grid(places[:, :2], places[:, :2], pixels, reach)
    across, up = np.meshgrid(grid.x, grid.y)
    flat = np.stack([across.ravel(), up.ravel(), np.zeros(across.size)], axis=1)
    gains = bz_with_slopes(conductor, sources, flat)
    by_moments = len(seen) > seen.shape[1]
    onto, by_x, by_y = gains if by_moments else (one @ seen.T for one in gains)
    return Geometry(
        places=places[:, :2],
        seen=seen,
        between=seen @ seen.T,
        onto=onto,
        by_x=by_x,
        by_y=by_y,
        prior=np.sum(gains[0] ** 2, axis=1),
        by_moments=by_moments,
    )


def mappable(sensors: SensorArray) -> BOOL:
    """Return which channels a map can use, as far as is known before the first sample."""
    heart = np.zeros(len(sensors), dtype=np.bool_)
    heart[sensors.of_kind("mag")] = True
    keep: BOOL = heart & sensors.located() & sensors.usable()
    return keep
