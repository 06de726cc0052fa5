"""How a channel wanders: Allan deviation over averaging time, and drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Allan:
    """Allan deviation of every channel, with the 95 % interval of the median channel's dof."""

    tau: NDArray[np.float64]  # (n_times,) s
    deviation: NDArray[np.float64]  # (n_times, n_channels) T
    low: NDArray[np.float64]  # (n_times,) factor below
    high: NDArray[np.float64]  # (n_times,) factor above


def allan(data: NDArray[np.float64], rate: float) -> Allan:
    """Return the overlapping Allan deviation of field readings (samples, n_channels) at octaves.

    σ²(τ) = ½⟨(m_{k+1} - m_k)²⟩ of neighbouring means over τ (Allan 1966); white noise of amplitude density w
    gives w/√(2τ). The interval takes χ² with the number of neighbouring pairs that do not overlap: on the
    safe side.
    """
    from scipy.stats import chi2

    sums = np.concatenate([np.zeros((1, data.shape[1])), np.cumsum(_without_offset(data), axis=0)])
    tau, deviation, free = [], [], []
    size = max(1, round(0.01 * rate))
    while 4 * size <= len(data):
        means = (sums[size:] - sums[:-size]) / size
        step = means[size:] - means[:-size]
        tau.append(size / rate)
        deviation.append(np.sqrt(0.5 * np.mean(step**2, axis=0)))
        free.append(len(data) // size - 1)
        size *= 2
    dof = np.array(free, dtype=np.float64)
    low, high = np.sqrt(dof / chi2.ppf(0.975, dof)), np.sqrt(dof / chi2.ppf(0.025, dof))
    channels = data.shape[1]
    return Allan(np.array(tau), np.array(deviation).reshape(-1, channels), low, high)


def _without_offset(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return data without its first value; channels with NaN become NaN as a whole."""
    whole = np.isfinite(data).all(axis=0)
    return np.where(whole, data - data[0], np.nan)


def drift(data: NDArray[np.float64], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slope and standard error of every channel: T/s.

    A line through means over 1 s (a shorter record: a twentieth). Slow noise looks like drift: the error is
    what noise of the spectrum c/f^a does to the slope, with c of each channel and a of all from what the
    line leaves over.
    """
    size = max(1, round(min(1.0, len(data) / rate / 20) * rate))
    count = len(data) // size
    slopes, errors = np.full((2, data.shape[1]), np.nan)
    means = data[: count * size].reshape(count, size, -1).mean(axis=1)
    use = np.flatnonzero(np.isfinite(means).all(axis=0))
    if count < 12 or not len(use):
        return slopes, errors
    time = (np.arange(count) - (count - 1) / 2) * size / rate
    weight = time / (time @ time)
    level = means[:, use] - means[:, use].mean(axis=0)
    slopes[use] = weight @ level
    rest = level - np.outer(time, slopes[use])
    power = np.abs(np.fft.rfft(rest, axis=0)[2:11]) ** 2 * 2 * size / (rate * count)  # the line took from bin 1
    frequency = np.arange(2, 2 + len(power)) * rate / (size * count)
    middle = np.log(np.maximum(power.mean(axis=1), 1e-300))
    fall = float(np.clip(-np.polyfit(np.log(frequency), middle, 1)[0], 0.0, 2.0))
    strength = (power * frequency[:, None] ** fall).mean(axis=0)
    fine = 8 * count
    reach = np.abs(np.fft.rfft(weight, fine)[1:]) ** 2
    fine_frequency = np.arange(1, len(reach) + 1) * rate / (size * fine)
    errors[use] = np.sqrt(strength * np.sum(reach * fine_frequency**-fall) * rate / (size * fine))
    return slopes, errors
