"""The noise of one sensor: white above a corner, 1/f below it, independent in every channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GROUPS = 32  # channels are renewed in turn, one group per chunk, so that no chunk costs more than another
FADE = 2  # chunks that a window and the next one share


@dataclass(frozen=True, slots=True)
class SensorNoise:
    """Stationary Gaussian noise of power density S(f) = white² (1 + (corner/f)^exponent)."""

    white: float = 15e-15  # T/√Hz
    corner: float = 3.0  # Hz
    exponent: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.white < np.inf and 0 <= self.corner < np.inf and 0 <= self.exponent <= 3):
            raise ValueError(f"noise needs white and corner from 0 up and an exponent of 0 to 3, got {self}")

    def density(self, frequency: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the amplitude density at these frequencies (above 0 Hz): T/√Hz.

        Examples
        --------
        >>> (1e15 * SensorNoise(white=15e-15, corner=3.0).density(np.array([3.0, 300.0]))).round(1).tolist()
        [21.2, 15.1]
        """
        rise: NDArray[np.float64] = self.white * np.sqrt(1 + (self.corner / np.asarray(frequency)) ** self.exponent)
        return rise


class Density(Protocol):
    """Anything with an amplitude density."""

    def density(self, frequency: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the amplitude density at frequencies above 0 Hz: units/√Hz."""
        ...


class NoiseStream:
    """Noise for many channels, made chunk by chunk, the same to the bit for a seed.

    Each channel is a row of periodic Gaussian windows of the exact density that fade into each other as
    sine and cosine, whose squares add to one: the variance is constant and the density is the wanted one,
    smeared by 1/(window length). Below that frequency it stays flat.
    """

    def __init__(
        self,
        noise: Density,
        scale: NDArray[np.float64],
        rate: float,
        chunk: int,
        seed: tuple[int, ...],
        fade: int = FADE,
    ) -> None:
        """Take the channels' factors `scale` (n_channels,), the chunk's length, the seed and the fade in chunks.

        A short fade costs half the random numbers of a long one (`GROUPS`), whose windows leak less: what a
        density steeper than 1/f needs.
        """
        self._scale = scale
        self._chunk = chunk
        self._hop = GROUPS * chunk
        self._seed = seed
        overlap = fade * chunk
        self._length = self._hop + overlap
        frequency = np.arange(self._length // 2 + 1) * (rate / self._length)
        frequency[0] = frequency[1]
        self._spectrum = noise.density(frequency) * np.sqrt(rate * self._length) / 2
        self._spectrum[[0, -1]] *= np.sqrt(2)  # the first and the last bin have no imaginary part
        rise = np.sin(np.pi / 2 * (np.arange(overlap) + 0.5) / overlap)
        self._fade = np.concatenate([rise, np.ones(self._hop - overlap), rise[::-1]])
        self._now = np.zeros((len(scale), self._hop))
        self._tail = np.zeros((len(scale), overlap))
        for group in range(GROUPS):
            self._renew(group, -2)
            if group:  # group 0 is renewed by the first chunk itself
                self._renew(group, -1)

    def _renew(self, group: int, turn: int) -> None:
        """Lay the next window over the tail of the one before."""
        rows = slice(group, None, GROUPS)
        scale = self._scale[rows]
        if len(scale) == 0:
            return
        words = [*self._seed, group, turn + 2]
        random = np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))
        parts = random.standard_normal((len(scale), len(self._spectrum), 2))
        parts *= self._spectrum[:, None]
        parts[:, [0, -1], 1] = 0.0
        window = np.fft.irfft(parts.view(np.complex128)[..., 0], n=self._length, axis=1)
        window *= self._fade
        window *= scale[:, None]
        window[:, : self._tail.shape[1]] += self._tail[rows]
        self._now[rows] = window[:, : self._hop]
        self._tail[rows] = window[:, self._hop :]

    def chunk(self, index: int) -> NDArray[np.float64]:
        """Return chunk `index` (they must be asked for in order, from 0): (chunk, n_channels) T."""
        self._renew(index % GROUPS, index // GROUPS)
        out = np.empty((self._chunk, len(self._scale)))
        for group in range(min(GROUPS, len(self._scale))):
            start = ((index - group) % GROUPS) * self._chunk
            out[:, group::GROUPS] = self._now[group::GROUPS, start : start + self._chunk].T
        return out
