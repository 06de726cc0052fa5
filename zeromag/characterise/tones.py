"""Amplitude and phase of known sines in every channel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.record import Record
from zeromag.characterise.spectrum import WINDOW_S

REPEATED = 1 / 6  # correlation of the amplitudes in two half-overlapping Hann windows (Welch 1967)
NEIGHBOURS = 5  # tones that share what they know of the noise
MUCH = 2.5  # times the typical error of its neighbours: there is a line


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Complex amplitudes A of Re(A e^{2πift}), t from the stream's first sample, and their standard errors."""

    frequency: NDArray[np.float64]  # (n_tones,) Hz
    amplitude: NDArray[np.complex128]  # (n_tones, n_channels) T; NaN where no window was whole
    error: NDArray[np.float64]  # (n_tones, n_channels) T, of the real and of the imaginary part

    def taken_from(self, record: Record) -> Record:
        """Return the record without the tones."""
        data = record.data.copy()
        amplitude = np.nan_to_num(self.amplitude)
        for start in range(0, len(data), 10000):
            time = (record.first + start + np.arange(min(10000, len(data) - start))) / record.rate
            angle = 2 * np.pi * time[:, None] * self.frequency
            data[start : start + 10000] -= np.cos(angle) @ amplitude.real - np.sin(angle) @ amplitude.imag
        return replace(record, data=data)


def measure_tones(record: Record, frequency: NDArray[np.float64]) -> Tones:
    """Return the tones by least squares with Hann weights, all at once, in half-overlapping windows of 10 s.

    The mean over windows; its error from their scatter.

    Raises
    ------
    ValueError
        If two tones are too near to be told apart in one window, or there are fewer than three windows.
    """
    size = max(8, min(round(WINDOW_S * record.rate), len(record.data) // 3))
    apart = np.diff(np.sort(frequency))
    if len(apart) and apart.min() < 3.9 * record.rate / size:
        longer = f": {np.ceil(12 / apart.min()):g} s or more are needed" if apart.min() >= 4 / WINDOW_S else ""
        raise ValueError(
            f"tones must lie {4 * record.rate / size:.2g} Hz apart in windows of {size / record.rate:.3g} s, "
            f"got {apart.min():.2g} Hz{longer}"
        )
    if frequency.max() >= record.rate / 2:
        raise ValueError(f"tones must lie below {record.rate / 2:g} Hz, got {frequency.max():g} Hz")
    taper = np.hanning(size + 1)[:-1]
    starts = range(0, len(record.data) - size + 1, size // 2)
    each = np.array([_window(record, start, taper, frequency) for start in starts])
    known = np.isfinite(each[:, 0]).sum(axis=0)
    if known.max(initial=0) < 3:
        raise ValueError("tones need three whole windows of one channel at least")
    total = np.where(np.isfinite(each), each, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total.sum(axis=0) / np.where(known >= 3, known, np.nan)
        scatter = (np.abs(np.where(np.isfinite(each), each - mean, 0)) ** 2).sum(axis=0) / 2 / (known - 1)
        # half-overlapping windows repeat each other: they scatter less about their mean, and their mean is less sure
        error = np.sqrt(scatter / (1 - 2 * REPEATED / known) * (1 + 2 * REPEATED * (known - 1) / known) / known)
    return Tones(frequency, mean, _pooled(frequency, error))


def _pooled(frequency: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors (n_tones, n_channels) shared with the nearest tones, since a handful of windows tells each badly.

    The noise of a sensor is smooth over frequency; a tone beside a line keeps its own, larger error.
    """
    if len(frequency) < NEIGHBOURS:
        return error
    nearest = np.argsort(np.abs(np.log(frequency[:, None] / frequency)), axis=1, kind="stable")[:, :NEIGHBOURS]
    shared = np.sqrt((error[nearest] ** 2).mean(axis=1))
    typical = np.median(error[nearest], axis=1)
    lined = error[nearest].max(axis=1) > MUCH * typical
    return np.where(lined, np.maximum(error, typical), shared)


def _window(
    record: Record, start: int, taper: NDArray[np.float64], frequency: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the amplitudes in one window: (n_tones, n_channels)."""
    rows = record.data[start : start + len(taper)]
    whole = np.isfinite(rows).all(axis=0)
    rows = np.where(whole, rows, 0.0)
    time = (record.first + start + np.arange(len(taper))) / record.rate
    angle = 2 * np.pi * time[:, None] * frequency
    level = np.stack([np.ones(len(taper)), np.linspace(-1, 1, len(taper))], axis=1)
    waves = np.concatenate([np.cos(angle), np.sin(angle), level], axis=1)
    weighted = waves * taper[:, None]
    fit = np.linalg.solve(weighted.T @ waves, weighted.T @ (rows - rows.mean(axis=0)))
    count = len(frequency)
    amplitude = fit[:count] - 1j * fit[count : 2 * count]
    return np.where(whole, amplitude, np.nan)
