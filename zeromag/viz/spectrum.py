"""Amplitude spectra of the newest seconds, in T/√Hz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLOOR_BAND = (60.0, 95.0)  # Hz, above the heart and its ST-T, below the low-pass


def amplitude_spectrum(
    rows: NDArray[np.float64], rate: float, length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies (Hz) and spectra (n_frequencies, n_channels) T/√Hz of `rows` (n_samples, n_channels) T.

    Welch's average of half overlapping Hann windows, each without its mean; windows with NaN are left out.
    """
    window: NDArray[np.float64] = np.hanning(length + 1)[:-1].astype(np.float64)
    starts = [k for k in range(0, len(rows) - length + 1, length // 2) if np.isfinite(rows[k : k + length]).all()]
    frequency: NDArray[np.float64] = np.arange(length // 2 + 1, dtype=np.float64) * (rate / length)
    power = np.zeros((len(frequency), rows.shape[1]))
    for start in starts:
        part = rows[start : start + length]
        power += np.abs(np.fft.rfft((part - part.mean(axis=0)) * window[:, None], axis=0)) ** 2
    power *= 2 / (rate * np.sum(window**2) * max(len(starts), 1))
    amplitude: NDArray[np.float64] = np.sqrt(power)
    return frequency, amplitude


def floor(frequency: NDArray[np.float64], spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each channel's median between 60 and 95 Hz: (n_channels,) T/√Hz; NaN where the rate has no such band."""
    inside = (frequency >= FLOOR_BAND[0]) & (frequency <= FLOOR_BAND[1])
    return np.median(spectrum[inside], axis=0) if inside.any() else np.full(spectrum.shape[1], np.nan)
