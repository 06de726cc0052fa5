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


def noise_floor(rows: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return each channel's noise between 60 and 95 Hz: (n_channels,) T/√Hz; NaN where the rate has no such band.

    The median over quarter seconds, so that the QRS, which fills one in four, does not count as noise. A median of
    powers with ν degrees of freedom lies at (1 - 2/9ν)³ of their mean (Wilson and Hilferty 1931).
    """
    length = int(rate / 4)
    window: NDArray[np.float64] = np.hanning(length + 1)[:-1].astype(np.float64)
    frequency = np.arange(length // 2 + 1) * (rate / max(length, 1))
    inside = (frequency >= FLOOR_BAND[0]) & (frequency <= FLOOR_BAND[1])
    starts = [k for k in range(0, len(rows) - length + 1, length) if np.isfinite(rows[k : k + length]).all()]
    if not inside.any() or not starts:
        return np.full(rows.shape[1], np.nan)
    parts = np.stack([rows[k : k + length] for k in starts])
    parts = (parts - parts.mean(axis=1, keepdims=True)) * window[:, None]
    power = np.mean(np.abs(np.fft.rfft(parts, axis=1)[:, inside]) ** 2, axis=1) * 2 / (rate * np.sum(window**2))
    freedom = 2 * int(inside.sum()) / 1.5  # a Hann window's bins are not independent
    level: NDArray[np.float64] = np.sqrt(np.median(power, axis=0) / (1 - 2 / (9 * freedom)) ** 3)
    return level
