"""What the good channels of an array read of dipoles in any conductor, weighted by their noise."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.frame import array_frame
from zeromag.physics.sphere import Sphere
from zeromag.physics.torso import Torso
from zeromag.sensors import SensorArray

EDGE = 0.98  # of a sphere's radius, as far out as sources are looked for


class SourceGain:
    """Callable with places (n, 3) m in the array's own frame; returns the whitened lead field (n_good, n, 3).

    The conductor's coordinates are the array's frame too: origin in its middle, z out of the chest. Of a torso the
    part that does not depend on the source is reckoned once.

    Raises
    ------
    ValueError
        If there are fewer good magnetometers with a place than `fewest`.
    """

    def __init__(self, conductor: Conductor, sensors: SensorArray, good: BOOL, noise: F64, fewest: int = 6) -> None:
        heart = np.zeros(len(sensors), dtype=np.bool_)
        heart[sensors.of_kind("mag")] = True
        self.good: BOOL = good & heart & sensors.located() & sensors.usable()
        if (count := int(self.good.sum())) < fewest:
            raise ValueError(f"sources need {fewest} good magnetometers with positions, and there are {count}")
        frame = array_frame(sensors)
        self.conductor = conductor
        self.positions: F64 = frame.inside(sensors.positions[self.good])
        self._axes: F64 = frame.turned(sensors.axes[self.good])
        self.noise: F64 = np.maximum(noise[self.good], 1e-18)
        self._torso = conductor.seen_by(self.positions, self._axes) if isinstance(conductor, Torso) else None

    def __call__(self, places: F64) -> F64:
        """Return 1/(A·m) of noise: what unit dipoles along x, y, z read, over each channel's noise."""
        if self._torso is not None:
            gain = self._torso(places)
        else:
            gain = lead_field(self.conductor, places, self.positions, self._axes)
        whitened: F64 = gain / self.noise[:, None, None]
        return whitened

    def within(self, places: F64) -> F64:
        """Return places (…, 3) with those beyond a sphere's edge moved to just below it."""
        if not isinstance(self.conductor, Sphere):
            return places
        away = places - np.asarray(self.conductor.centre)
        far = np.linalg.norm(away, axis=-1, keepdims=True)
        share = np.minimum(1.0, EDGE * self.conductor.radius / np.maximum(far, 1e-9))
        return np.asarray(away * share + np.asarray(self.conductor.centre), dtype=np.float64)

    def inside(self, places: F64) -> F64:
        """Return those of the places (n, 3) that lie inside the conductor."""
        kept: F64 = places[np.linalg.norm(self.within(places) - places, axis=1) < 1e-12]
        return kept

    @property
    def loud(self) -> int:
        """How many of a dipole's three components make a field: 2 in half-space and sphere, 3 in a torso."""
        return 3 - self.conductor.silent

    def basis(self, places: F64) -> F64:
        """Return the directions that make a field, the loudest first: (n, 3, loud) orthonormal."""
        gain = self(places)
        _, _, turned = np.linalg.svd(np.moveaxis(gain, 1, 0), full_matrices=False)
        return np.ascontiguousarray(turned[:, : self.loud].transpose(0, 2, 1))

    def white(self, readings: F64) -> F64:
        """Return readings (…, n_channels) T as multiples of the noise, good channels only."""
        return np.asarray(readings[..., self.good] / self.noise, dtype=np.float64)
