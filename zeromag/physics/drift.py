"""The slow field of the surroundings: what is left of the Earth's field, and how it drifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.outside import GRADIENTS, FieldStream, middle, outside_basis
from zeromag.physics.wander import wander
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True)
class Residual:
    """A static field and gradient that the nulling coils left."""

    field: float = 0.3e-9  # T, standard deviation of each component
    gradient: float = 2e-9  # T/m, standard deviation of each of the five gradients

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "residual"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:  # noqa: ARG002
        """Return the static field at these sensors."""
        level = (self.vectors(sensors.positions - middle(sensors), seed) * sensors.axes).sum(axis=1)

        def field(first: int, samples: int) -> NDArray[np.float64]:  # noqa: ARG001 - always the same
            return np.broadcast_to(level, (samples, len(level)))

        return field

    def vectors(self, away: NDArray[np.float64], seed: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the residual field at places (n, 3) m, counted from the middle of the array: (n, 3) T."""
        strengths = self.strengths(seed)
        gradient = np.tensordot(strengths[3:], GRADIENTS, axes=1)
        field: NDArray[np.float64] = strengths[:3] + away @ gradient
        return field

    def strengths(self, seed: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the three uniform components (T) and the five gradients (T/m) of this seed: (8,)."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        each: NDArray[np.float64] = random.normal(size=8) * np.repeat([self.field, self.gradient], [3, 5])
        return each


@dataclass(frozen=True, slots=True)
class Drift:
    """A slow wander of the uniform field and, weaker, of its gradients, amplitude as f^-1.4 above `low`."""

    field: float = 40e-12  # T rms of each component
    gradient: float = 20e-12  # T/m rms of each gradient: a source about 2 m away
    low: float = 0.004  # Hz
    high: float = 0.5  # Hz

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "drift"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the drift at these sensors."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        slow = wander(1.0, self.low, self.high, quantities=8, slope=-1.4, random=random)
        weights = (outside_basis(sensors) * np.repeat([self.field, self.gradient], [3, 5])).T

        def field(first: int, samples: int) -> NDArray[np.float64]:
            out: NDArray[np.float64] = slow.at((first + np.arange(samples)) / rate) @ weights
            return out

        return field
