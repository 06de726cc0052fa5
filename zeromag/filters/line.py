"""The mains line as it is known so far: frequency, phase, and what each channel reads of each harmonic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.1  # five cycles of 50 Hz, six of 60: the loop learns once per frame
ALPHA = 0.5  # of the phase error, corrected per frame
BETA = 2 - ALPHA - 2 * np.sqrt(1 - ALPHA)  # critical damping of the frequency (Benedict & Bordner 1962)
AMPLITUDE_FRAMES = 20  # memory of the amplitudes: 2 s
CLIP = 5.0  # times the mean size of a first difference
PULL = 1.5  # Hz, furthest from nominal that the loop may go


@dataclass(slots=True)
class Line:
    """State of the tracking loop; `learn` moves it on by one frame."""

    nominal: float  # Hz
    frequency: float  # Hz
    rate: float  # Hz
    phase: float  # rad, of the fundamental at the frame's first sample
    model: NDArray[np.float64]  # (harmonics, 2, n_columns) T, along cos and sin of each harmonic's phase
    clip: NDArray[np.float64]  # (n_columns,) T, largest first difference that is believed
    guide: NDArray[np.bool_]  # (n_columns,) channels that steer the phase
    frames: int = 0

    @property
    def advance(self) -> float:
        """Return the fundamental's phase step per sample: rad."""
        return float(2 * np.pi * self.frequency / self.rate)

    def difference(self) -> NDArray[np.complex128]:
        """Return what a first difference does to each harmonic: (harmonics, 1)."""
        order = np.arange(1, len(self.model) + 1)
        turn: NDArray[np.complex128] = 1 - np.exp(-1j * order * self.advance)
        return turn[:, None]

    def learn(
        self, sums: NDArray[np.float64], size: NDArray[np.float64], seen: NDArray[np.float64], samples: int
    ) -> None:
        """Take in one frame: sums of first differences along cos and sin, their sizes, and how many there were."""
        enough = seen > samples / 2
        count = np.where(enough, seen, np.inf)
        left = _phasors(sums * (1 / count))  # what is left of the line
        left *= 2 / self.difference()
        known = _phasors(self.model)
        error = self._phase_error(known[0], left[0], count)
        order = np.arange(1, len(known) + 1)[:, None]
        left -= known * (np.exp(1j * order * error) - 1)  # the common rotation belongs to the loop
        self.frames += 1
        left *= max(1 / AMPLITUDE_FRAMES, 1 / (self.frames + 5)) * enough
        self.model[:, 0] += left.real
        self.model[:, 1] -= left.imag
        self.clip += np.where(enough, 0.3 * (CLIP * size / np.maximum(seen, 1) - self.clip), 0)
        self._steer(error, samples)

    def _phase_error(
        self, known: NDArray[np.complex128], left: NDArray[np.complex128], count: NDArray[np.float64]
    ) -> float:
        """Return how far the line runs ahead, weighted by where it is strong and shrunk where it drowns: rad."""
        chosen = self.guide & np.isfinite(count)
        noise = (self.clip / CLIP) ** 2 / count / np.abs(self.difference()[0, 0]) ** 2
        power = float(np.sum(np.abs(known[chosen]) ** 2) + np.sum(noise[chosen]))
        if not power > 0:
            return 0.0
        return float(np.clip(np.sum((known[chosen].conj() * left[chosen]).imag) / power, -1.0, 1.0))

    def _steer(self, error: float, samples: int) -> None:
        span = samples / self.rate
        self.phase = float((self.phase + self.advance * samples + ALPHA * error) % (2 * np.pi))
        wanted = self.frequency + BETA * error / (2 * np.pi * span)
        self.frequency = float(np.clip(wanted, self.nominal - PULL, self.nominal + PULL))

    def say(self) -> str:
        """Return frequency and strength for people."""
        amplitude = np.median(np.hypot(self.model[0, 0], self.model[0, 1])[self.guide])
        return f"{self.frequency:.3f} Hz, {amplitude * 1e12:.3g} pT"


def _phasors(parts: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return cos and sin parts (harmonics, 2, channels) as phasors: cos - i sin."""
    phasors = np.empty((len(parts), parts.shape[2]), dtype=np.complex128)
    phasors.real, phasors.imag = parts[:, 0], -parts[:, 1]
    return phasors


def acquire(
    watched: NDArray[np.float64],
    rate: float,
    nominal: tuple[float, ...],
    harmonics: Callable[[float], int],
    guide: NDArray[np.bool_],
) -> Line:
    """Return the line found in the first samples (n_samples, n_columns), NaN where bad.

    The strongest tone within ±1 Hz of a nominal frequency, in Hann-weighted first differences summed over the
    guiding channels; each is weighed by its own size, so that no channel outshouts the rest.
    """
    steps = np.diff(watched, axis=0)
    usual = np.nanmedian(np.abs(np.where(np.isfinite(steps), steps, 0.0)), axis=0)
    clip = np.where(usual > 0, 4 * CLIP * usual, np.inf)  # wide: the line itself is still in there
    steps = np.clip(np.where(np.isfinite(steps), steps, 0.0), -clip, clip)
    # a step between samples t and t+1 is stamped t+1, as the running kernel does
    time = np.arange(1, len(watched))
    window = np.hanning(len(time) + 2)[1:-1]
    window = window / window.sum()
    scale = np.where(usual > 0, usual, 1.0)

    def demodulate(frequency: float) -> NDArray[np.complex128]:
        turn = window * np.exp(-2j * np.pi * frequency / rate * time)
        found: NDArray[np.complex128] = 2 * (steps * turn[:, None]).sum(axis=0)
        return found

    def power(frequency: float) -> float:
        return float(np.sum(np.abs(demodulate(frequency) / scale)[guide] ** 2))

    line = max(nominal, key=power)
    grid = np.linspace(line - 1, line + 1, 41)
    height = np.array([power(f) for f in grid])
    best = int(np.clip(np.argmax(height), 1, len(grid) - 2))
    left, top, right = height[best - 1 : best + 2]
    bend = left - 2 * top + right
    frequency = float(grid[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0) * (grid[1] - grid[0]))
    order = np.arange(1, harmonics(line) + 1)
    phasors = np.array([demodulate(k * frequency) / (1 - np.exp(-2j * np.pi * k * frequency / rate)) for k in order])
    phase = float((2 * np.pi * frequency / rate * len(watched)) % (2 * np.pi))
    model = np.stack([phasors.real, -phasors.imag], axis=1)
    return Line(line, frequency, rate, phase, model, np.where(np.isfinite(clip), clip, 0.0), guide)
