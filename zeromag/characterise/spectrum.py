"""Power density of every channel: Welch, Hann, 10 s, half overlapping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 10.0
NEIGHBOURS = 1 + 2 * ((2 / 3) ** 2 + (1 / 6) ** 2)  # how many Hann bins share one independent number
OVERLAP = 1 + 2 * (1 / 6) ** 2  # how much half-overlapping Hann windows repeat each other (Welch 1967)


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One-sided power density; `averages` is the equivalent number of independent windows of each channel."""

    frequency: NDArray[np.float64]  # (n_bins,) Hz, without 0 Hz and the last
    power: NDArray[np.float64]  # (n_bins, n_channels) T²/Hz, NaN where no window was whole
    averages: NDArray[np.float64]  # (n_channels,)

    def band(self, low: float, high: float) -> NDArray[np.bool_]:
        """Return the bins from `low` to `high` Hz."""
        inside: NDArray[np.bool_] = (self.frequency >= low) & (self.frequency <= high)
        return inside


def window_samples(samples: int, rate: float) -> int:
    """Return the length of one window: 10 s, or a quarter of a shorter record."""
    return max(8, min(round(WINDOW_S * rate), samples // 4))


def spectrum(data: NDArray[np.float64], rate: float) -> Spectrum:
    """Return the density of data (samples, n_channels); a window with NaN is left out of its channel.

    Each window loses its mean and its slope first, so that drift does not leak into every bin.
    """
    size = window_samples(len(data), rate)
    if len(data) < size:
        raise ValueError(f"a spectrum needs at least {size} samples, got {len(data)}")
    taper = np.hanning(size + 1)[:-1]
    scale = 2 / (rate * np.sum(taper**2))
    ramp = np.linspace(-1, 1, size)
    ramp /= np.linalg.norm(ramp)
    total = np.zeros((size // 2 + 1, data.shape[1]))
    count = np.zeros(data.shape[1])
    for start in range(0, len(data) - size + 1, size // 2):
        part = data[start : start + size]
        whole = np.isfinite(part).all(axis=0)
        part = np.where(whole, part, 0.0)
        part = part - part.mean(axis=0)
        part -= ramp[:, None] * (ramp[:, None] * part).sum(axis=0)
        turned = np.fft.rfft(part * taper[:, None], axis=0)
        total += scale * (turned.real**2 + turned.imag**2)
        count += whole
    with np.errstate(invalid="ignore", divide="ignore"):
        power = total / np.where(count > 0, count, np.nan)
    averages = np.where(count > 1, count / OVERLAP, count)
    return Spectrum(np.asarray(np.fft.rfftfreq(size, 1 / rate)[1:-1], dtype=np.float64), power[1:-1], averages)
