"""The mains line as it is known so far: frequency, phase, and what each channel reads of each harmonic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, kernel

FRAME_S = 0.1  # five cycles of 50 Hz, six of 60: the loop learns once per frame
ALPHA = 0.5  # of the phase error, corrected per frame
BETA = 2 - ALPHA - 2 * np.sqrt(1 - ALPHA)  # critical damping of the frequency (Benedict & Bordner 1962)
AMPLITUDE_FRAMES = 20  # memory of the amplitudes: 2 s
CLIP = 5.0  # times the mean size of a first difference
ENOUGH = 500  # first differences that a channel's usual size is told from
MOST = 64  # guiding channels that find the frequency: an array's others say the same
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
    _order: NDArray[np.int64] = field(init=False)  # of the harmonics

    def __post_init__(self) -> None:
        self._order = np.arange(1, len(self.model) + 1)

    @property
    def advance(self) -> float:
        """Return the fundamental's phase step per sample: rad."""
        return float(2 * np.pi * self.frequency / self.rate)

    def difference(self) -> NDArray[np.complex128]:
        """Return what a first difference does to each harmonic: (harmonics,)."""
        turn: NDArray[np.complex128] = 1 - np.exp(-1j * self._order * self.advance)
        return turn

    def learn(
        self, sums: NDArray[np.float64], size: NDArray[np.float64], seen: NDArray[np.float64], samples: int
    ) -> None:
        """Take in one frame: sums of first differences along cos and sin, their sizes, and how many there were."""
        left = np.empty_like(sums)
        differences = self.difference()
        _left(sums, seen, samples, _pairs(2 / differences), left)
        noise = 1 / (CLIP * abs(differences[0])) ** 2
        error = _phase_error(self.model[0], left[0], self.clip, seen, samples, self.guide, noise)
        self.frames += 1
        gain = max(1 / AMPLITUDE_FRAMES, 1 / (self.frames + 5))
        turned = _pairs(np.exp(1j * self._order * error) - 1)  # the common rotation belongs to the loop
        _moved(self.model, left, turned, gain, self.clip, size, seen, samples)
        self._steer(error, samples)

    def _steer(self, error: float, samples: int) -> None:
        span = samples / self.rate
        self.phase = float((self.phase + self.advance * samples + ALPHA * error) % (2 * np.pi))
        wanted = self.frequency + BETA * error / (2 * np.pi * span)
        self.frequency = float(min(max(wanted, self.nominal - PULL), self.nominal + PULL))

    def say(self) -> str:
        """Return frequency and strength for people."""
        amplitude = np.median(np.hypot(self.model[0, 0], self.model[0, 1])[self.guide])
        return f"{self.frequency:.3f} Hz, {amplitude * 1e12:.3g} pT"


def _pairs(numbers: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return complex numbers as rows of their real and imaginary part: (n, 2)."""
    return numbers.view(np.float64).reshape(-1, 2)


# In the three kernels a phasor is cos - i sin, and a channel of which less than half a frame was seen does not count.


@kernel
def _left(sums: F64, seen: F64, samples: int, scale: F64, left: F64) -> None:
    """Write the phasors (harmonic, 2, channel) of what is left of the line."""
    for k in range(sums.shape[0]):
        for c in range(sums.shape[2]):
            share = 1 / seen[c] if seen[c] > samples / 2 else 0.0
            real, imaginary = sums[k, 0, c] * share, -sums[k, 1, c] * share
            left[k, 0, c] = real * scale[k, 0] - imaginary * scale[k, 1]
            left[k, 1, c] = real * scale[k, 1] + imaginary * scale[k, 0]


@kernel
def _phase_error(model: F64, left: F64, clip: F64, seen: F64, samples: int, guide: BOOL, noise: float) -> float:
    """Return how far the line runs ahead, weighted by where it is strong and shrunk where it drowns: rad."""
    power, across = 0.0, 0.0
    for c in range(len(seen)):
        if guide[c] and seen[c] > samples / 2:
            real, imaginary = model[0, c], -model[1, c]
            power += real * real + imaginary * imaginary + noise * clip[c] * clip[c] / seen[c]
            across += real * left[1, c] - imaginary * left[0, c]
    return min(1.0, max(-1.0, across / power)) if power > 0 else 0.0


@kernel
def _moved(model: F64, left: F64, turned: F64, gain: float, clip: F64, size: F64, seen: F64, samples: int) -> None:
    """Let the amplitudes learn what is left but for the common rotation, and the clips the size of differences."""
    for k in range(model.shape[0]):
        for c in range(len(seen)):
            real, imaginary = model[k, 0, c], -model[k, 1, c]
            much = gain if seen[c] > samples / 2 else 0.0
            model[k, 0, c] += much * (left[k, 0, c] - (real * turned[k, 0] - imaginary * turned[k, 1]))
            model[k, 1, c] -= much * (left[k, 1, c] - (real * turned[k, 1] + imaginary * turned[k, 0]))
    for c in range(len(seen)):
        if seen[c] > samples / 2:
            clip[c] += 0.3 * (CLIP * size[c] / seen[c] - clip[c])


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
    steps[~np.isfinite(steps)] = 0.0
    usual = np.median(np.abs(steps[:: max(1, len(steps) // ENOUGH)]), axis=0)
    clip = np.where(usual > 0, 4 * CLIP * usual, np.inf)  # wide: the line itself is still in there
    steps = np.clip(steps, -clip, clip)
    # a step between samples t and t+1 is stamped t+1, as the running kernel does
    time = np.arange(1, len(watched))
    window = np.hanning(len(time) + 2)[1:-1]
    window *= 2 / window.sum()
    some = np.flatnonzero(guide)
    some = some[:: -(-len(some) // MOST) or 1]
    judged = steps[:, some] / np.where(usual > 0, usual, 1.0)[some]

    def demodulate(frequencies: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the phasors of first differences: (frequencies, channels)."""
        angle = 2 * np.pi / rate * frequencies[:, None] * time
        found: NDArray[np.complex128] = (window * np.cos(angle)) @ steps - 1j * ((window * np.sin(angle)) @ steps)
        return found

    def power(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sum(np.abs(demodulate(frequencies, judged)) ** 2, axis=1), dtype=np.float64)

    line = nominal[int(np.argmax(power(np.array(nominal))))]
    grid = np.linspace(line - 1, line + 1, 41)
    height = power(grid)
    best = int(np.clip(np.argmax(height), 1, len(grid) - 2))
    left, top, right = height[best - 1 : best + 2]
    bend = left - 2 * top + right
    frequency = float(grid[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0) * (grid[1] - grid[0]))
    order = np.arange(1, harmonics(line) + 1, dtype=np.float64)
    phasors = demodulate(order * frequency, steps) / (1 - np.exp(-2j * np.pi * order * frequency / rate))[:, None]
    phase = float((2 * np.pi * frequency / rate * len(watched)) % (2 * np.pi))
    model = np.stack([phasors.real, -phasors.imag], axis=1)
    return Line(line, frequency, rate, phase, model, np.where(np.isfinite(clip), clip, 0.0), guide)
