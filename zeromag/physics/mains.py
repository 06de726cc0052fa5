"""The line frequency and its harmonics, from transformers and cables metres away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.magnetic_dipole import magnetic_dipole
from zeromag.physics.outside import FieldStream, middle, rms_over_heart_channels
from zeromag.physics.wander import wander
from zeromag.sensors import SensorArray

PLACES = ((3.2, 1.4, 0.8), (-2.1, -3.6, 1.9))  # m from the array, two sources in different phase


@dataclass(frozen=True, slots=True)
class Mains:
    """Two magnetic dipoles on the line frequency, whose frequency and strength wander slowly.

    Both dipoles swing in different phase and each harmonic has phases of its own, so that the field turns in
    space and one spatial pattern does not describe it. The n-th harmonic has 1/n of the fundamental.
    """

    frequency: float = 50.0  # Hz
    amplitude: float = 20e-12  # T, of the fundamental, rms over the heart channels
    harmonics: tuple[int, ...] = (3, 5, 7)
    frequency_wander: float = 0.015  # Hz rms, over 20 s to 5 min as in European grids
    amplitude_wander: float = 0.05  # rms, relative
    word: str = "mains"

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return self.word

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:
        """Return the mains at these sensors."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        frequency = wander(self.frequency_wander, 0.003, 0.05, slope=-0.5, random=random)
        strength = wander(self.amplitude_wander, 0.003, 0.05, random=random)
        orders = [n for n in (1, *self.harmonics) if n * self.frequency < rate / 2]
        phases = random.uniform(0, 2 * np.pi, (len(self.harmonics) + 1, 2))[: len(orders)]
        patterns = _patterns(sensors, random)
        turning = np.exp(1j * phases) @ patterns  # (orders, channels)
        for k, order in enumerate(orders):
            row = turning[k]
            size = np.hypot(rms_over_heart_channels(row.real, sensors), rms_over_heart_channels(row.imag, sensors))
            turning[k] *= self.amplitude / (order * size)
        # Re(turning · e^{inφ}) as cosines and sines against two real patterns per order
        weights = np.concatenate([turning.real, -turning.imag])

        def field(first: int, samples: int) -> NDArray[np.float64]:
            time = (first + np.arange(samples)) / rate
            phase = 2 * np.pi * (self.frequency * time + frequency.integral(time)[:, 0])
            angles = phase[:, None] * np.array(orders, dtype=np.float64)
            waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
            waves *= 1 + strength.at(time)
            out: NDArray[np.float64] = waves @ weights
            return out

        return field


def _patterns(sensors: SensorArray, random: np.random.Generator) -> NDArray[np.float64]:
    """Return what the sensors read of each source, both equally strong at the array: (2, n_channels)."""
    # mostly upright, so that the heart channels see no small remainder of what the references see
    moments = random.normal(size=(2, 3)) * 0.5 + np.array([0.0, 0.0, 1.5])
    fields = magnetic_dipole(moments, middle(sensors) + np.array(PLACES), sensors.positions)
    patterns: NDArray[np.float64] = (fields * sensors.axes).sum(axis=-1)
    patterns /= np.array([rms_over_heart_channels(pattern, sensors) for pattern in patterns])[:, None]
    return patterns
