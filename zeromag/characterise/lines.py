"""Spectral lines: where they are, and how strong each is in every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.measured import Z95
from zeromag.characterise.spectrum import WINDOW_S, Spectrum

AROUND = 4.0  # Hz to each side: the floor that a line stands out of
TIMES = 8.0  # how far the median channel's power must stand out of the floor


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line; amplitudes are of the sine (peak), the record's mean."""

    frequency: float  # Hz
    amplitude: NDArray[np.float64]  # (n_channels,) T
    error: NDArray[np.float64]  # (n_channels,) T, standard error


def find_lines(spectrum: Spectrum, low: float = 3.0) -> list[float]:
    """Return where the median channel's power stands eight times out of its surroundings: Hz, rising.

    A peak that is wider than 2 Hz at half its height is a hump of the room, not a line.
    """
    frequency = spectrum.frequency
    step = frequency[1] - frequency[0]
    level = np.nanmedian(spectrum.power, axis=1)
    reach = max(4, round(AROUND / step))
    found: list[float] = []
    for k in range(2, len(level) - 2):
        if frequency[k] < low or level[k] < level[k - 2 : k + 3].max():
            continue
        near = level[max(0, k - reach) : k + reach + 1]
        wide = np.sum(near > level[k] / 2) * step
        if level[k] > TIMES * np.median(near) and (wide <= 2 or wide <= 4 * step):
            found.append(_between(frequency, level, k))
    return found


def _between(frequency: NDArray[np.float64], level: NDArray[np.float64], k: int) -> float:
    """Return the peak of the parabola through the logarithms around bin k, where Hann has one."""
    a, b, c = np.log(np.maximum(level[k - 1 : k + 2], 1e-300))
    shift = 0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c < 0 else 0.0
    return float(frequency[k] + shift * (frequency[1] - frequency[0]))


def clear_of(frequency: NDArray[np.float64], lines: list[float], taken: Sequence[float] = ()) -> NDArray[np.bool_]:
    """Return the bins that no line reaches into: (n_bins,).

    Where a tone of known frequency was `taken` out, noise went with it: the bin and its neighbours are not clear.
    """
    step = frequency[1] - frequency[0] if len(frequency) > 1 else 1.0
    clear = np.ones(len(frequency), dtype=np.bool_)
    for line in lines:
        clear &= np.abs(frequency - line) > max(0.5, 3 * step)
    for tone in taken:
        clear &= np.abs(frequency - tone) > 1.5 * step
    return clear


def measure_line(data: NDArray[np.float64], rate: float, frequency: float) -> Line:
    """Return how strong the line is in data (samples, n_channels).

    A sine of the frequency that fits all channels best in each window of 10 s (a shorter record: its
    whole) is fitted with Hann weights; the mean over windows, with its standard error from their scatter (one
    window: from what the fit leaves over).
    """
    size = min(len(data), round(WINDOW_S * rate))
    sizes, errors = [], []
    for start in range(0, len(data) - size + 1, size):
        amplitude, error = _sine(data[start : start + size], rate, frequency)
        sizes.append(amplitude)
        errors.append(error)
    each = np.array(sizes)
    count = np.isfinite(each).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(each, axis=0) / np.where(count > 0, count, np.nan)
        scatter = np.sqrt(np.nansum((each - mean) ** 2, axis=0) / np.maximum(count - 1, 1) / count)
        within = np.sqrt(np.nansum(np.array(errors) ** 2, axis=0)) / count
    return Line(frequency, mean, np.where(count >= 4, scatter * _student(count), within))


def _student(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what widens a standard error of so few windows to that of a normal distribution's 95 %."""
    from scipy.stats import t

    return np.asarray(t.ppf(0.975, np.maximum(count - 1, 1)), dtype=np.float64) / Z95


def _sine(part: NDArray[np.float64], rate: float, frequency: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return amplitude and standard error of one window, NaN where the channel is not whole."""
    whole = np.isfinite(part).all(axis=0)
    part = np.where(whole, part, 0.0)
    part = part - part.mean(axis=0)
    time = np.arange(len(part)) / rate
    taper = np.hanning(len(part) + 1)[:-1]
    best = _strongest(part * taper[:, None], rate, frequency)
    wave = np.stack([np.cos(2 * np.pi * best * time), np.sin(2 * np.pi * best * time), np.ones(len(time))], axis=1)
    weighted = wave * taper[:, None]
    inverse = np.linalg.inv(weighted.T @ wave)
    weights = weighted.T @ part
    fit = inverse @ weights
    # what stands beside the line, two to six bins away, tells how much noise falls into the fit
    aside = np.concatenate([np.arange(-6, -1), np.arange(2, 7)]) * rate / len(part)
    turned = np.exp(-2j * np.pi * np.outer(best + aside, time)) * taper
    noise = np.mean(np.abs(turned.real @ part + 1j * (turned.imag @ part)) ** 2, axis=0)
    error = np.sqrt(noise / 2) * 2 / taper.sum()
    size = np.hypot(fit[0], fit[1])
    return np.where(whole, size, np.nan), np.where(whole, error, np.nan)


def _strongest(tapered: NDArray[np.float64], rate: float, frequency: float) -> float:
    """Return the frequency within half a bin (record length) of this one at which all channels have most power: Hz."""
    pieces = 64
    size = len(tapered) // pieces
    if size == 0:
        return frequency
    # turned down to 0 Hz, the line is slow: sums over pieces keep it, and trying frequencies costs nothing
    turn = np.exp(-2j * np.pi * frequency / rate * np.arange(size))
    sums = np.einsum("ptc,t->pc", tapered[: pieces * size].reshape(pieces, size, -1), turn)
    sums *= np.exp(-2j * np.pi * frequency / rate * size * np.arange(pieces))[:, None]
    offsets = 0.5 * rate / len(tapered) * np.linspace(-1, 1, 41)
    waves = np.exp(-2j * np.pi * np.outer(offsets, np.arange(pieces)) * size / rate)
    return float(frequency + offsets[int(np.argmax((np.abs(waves @ sums) ** 2).sum(axis=1)))])
