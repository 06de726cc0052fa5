"""A quantity that wanders slowly and for ever: a sum of many slow sinusoids, known at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Wander:
    """Random-phase sinusoids, evenly spread over log frequency, with a power law between them."""

    frequencies: NDArray[np.float64]  # (n,) Hz
    phases: NDArray[np.float64]  # (n_quantities, n) rad
    heights: NDArray[np.float64]  # (n,) amplitudes

    def at(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantities at these times (s): (n_times, n_quantities)."""
        return self._sum(time, self.heights)

    def integral(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral of the quantities over time, apart from a constant: (n_times, n_quantities)."""
        return self._sum(time, self.heights / (2j * np.pi * self.frequencies))

    def _sum(self, time: NDArray[np.float64], heights: NDArray[np.generic]) -> NDArray[np.float64]:
        turning = np.exp(2j * np.pi * time[:, None] * self.frequencies)
        each: NDArray[np.complex128] = heights * np.exp(1j * self.phases)
        out: NDArray[np.float64] = turning.real @ each.real.T - turning.imag @ each.imag.T
        return out


def wander(
    rms: float,
    low: float,
    high: float,
    *,
    quantities: int = 1,
    slope: float = 0.0,
    lines: int = 12,
    random: np.random.Generator,
) -> Wander:
    """Return independent quantities of this rms whose lines from `low` to `high` Hz fall as f^`slope`."""
    edges = np.geomspace(low, high, lines + 1)
    frequencies = edges[:-1] * (edges[1:] / edges[:-1]) ** random.uniform(size=lines)
    heights = frequencies**slope
    heights *= rms * np.sqrt(2) / np.linalg.norm(heights)
    return Wander(frequencies, random.uniform(0, 2 * np.pi, (quantities, lines)), heights)
