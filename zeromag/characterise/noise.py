"""The noise of each sensor: white level, corner and slope, fitted to its spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.spectrum import NEIGHBOURS, Spectrum

LOWEST, HIGHEST = 0.5, 120.0  # Hz, what is fitted
STEPS = 60
STEEPEST = 3.0  # exponent that is tried: no sensor's noise rises so fast


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFit:
    """S(f) = white² (1 + (corner/f)^exponent) of every channel, with standard errors of their logarithms or NaN."""

    white: NDArray[np.float64]  # (n_channels,) T/√Hz
    white_error: NDArray[np.float64]  # relative
    corner: NDArray[np.float64]  # (n_channels,) Hz
    corner_error: NDArray[np.float64]  # relative
    exponent: NDArray[np.float64]  # (n_channels,)
    exponent_error: NDArray[np.float64]
    misfit: NDArray[np.float64]  # (n_channels,) scatter about the model over that of noise: 1 where the model holds


def fit_noise(spectrum: Spectrum, clear: NDArray[np.bool_], *, low: float = LOWEST, high: float = HIGHEST) -> NoiseFit:
    """Fit the model to every channel by Whittle's likelihood over the `clear` bins from `low` to `high` Hz.

    Fisher scoring on (log white², log corner, exponent); the errors are the inverse Fisher information with
    the number of independent windows and of independent Hann bins, widened by the misfit where it is above 1.
    Corner and exponent are NaN where the rise is steeper than any sensor's: a field of the room, or a short record.
    """
    use = clear & spectrum.band(low, high)
    frequency = spectrum.frequency[use]
    if len(frequency) < 12:
        raise ValueError(f"a noise fit needs 12 clear bins from {low:g} to {high:g} Hz, got {len(frequency)}")
    rows = [
        _one(frequency, spectrum.power[use, c], float(spectrum.averages[c])) for c in range(spectrum.power.shape[1])
    ]
    found = np.array(rows).T
    return NoiseFit(*found)


def _one(frequency: NDArray[np.float64], power: NDArray[np.float64], averages: float) -> tuple[float, ...]:
    """Return white, its error, corner, its error, exponent, its error, misfit of one channel."""
    if not np.isfinite(power).all() or averages <= 0 or not (power > 0).all():
        return (float("nan"),) * 7
    nearest, farthest = np.log(frequency[0] / 10), np.log(frequency[-1])
    limits = np.array([[-np.inf, nearest, 0.2], [np.inf, farthest, STEEPEST]])
    theta = np.array([np.log(np.median(power[len(power) // 2 :])), np.log(2 * frequency[0]), 1.0])
    loss, damping = _loss(theta, frequency, power), 1e-3
    for _ in range(STEPS):
        level, slope = _model(theta, frequency)
        information = slope.T @ slope
        step = np.linalg.solve(
            information + damping * np.diag(np.diag(information) + 1e-9), slope.T @ (power / level - 1)
        )
        trial = np.clip(theta + np.clip(step, -1, 1), *limits)
        better = _loss(trial, frequency, power)
        if better <= loss:
            done = np.abs(trial - theta).max() < 1e-7
            theta, loss, damping = trial, better, max(damping / 5, 1e-9)
            if done:
                break
        else:
            damping *= 10
            if damping > 1e8:
                break
    level, slope = _model(theta, frequency)
    covariance = np.linalg.pinv(averages / NEIGHBOURS * slope.T @ slope)
    misfit = float(averages * np.mean((power / level - 1) ** 2))
    error = np.sqrt(np.diag(covariance) * max(1.0, misfit))
    white, rise = (float(np.exp(theta[0] / 2)), float(error[0] / 2)), (float("nan"),) * 4
    if theta[2] < STEEPEST - 1e-3:
        rise = float(np.exp(theta[1])), float(error[1]), float(theta[2]), float(error[2])
    return *white, *rise, misfit


def _model(
    theta: NDArray[np.float64], frequency: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the power density, and the slopes of its logarithm: (n_bins,), (n_bins, 3)."""
    away = theta[1] - np.log(frequency)
    rise = np.exp(theta[2] * away)
    share = rise / (1 + rise)
    level = np.exp(theta[0]) * (1 + rise)
    return level, np.stack([np.ones(len(frequency)), theta[2] * share, away * share], axis=1)


def _loss(theta: NDArray[np.float64], frequency: NDArray[np.float64], power: NDArray[np.float64]) -> float:
    level, _ = _model(theta, frequency)
    return float(np.sum(np.log(level) + power / level))


def median_density(
    spectrum: Spectrum, clear: NDArray[np.bool_], low: float = 10.0, high: float = 50.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median amplitude density of each channel over the clear bins of a band, and its relative error.

    The median of so few windows lies below the mean power; the ratio is that of a gamma distribution.
    """
    from scipy.special import gammaincinv

    use = clear & spectrum.band(low, high)
    if not use.any():
        nothing = np.full(spectrum.power.shape[1], np.nan)
        return nothing, nothing
    averages = np.maximum(spectrum.averages, 0.5)
    level = np.median(spectrum.power[use], axis=0) * averages / gammaincinv(averages, 0.5)
    error = 0.5 * np.sqrt(np.pi / 2 * NEIGHBOURS / (averages * use.sum()))
    return np.sqrt(level), error
