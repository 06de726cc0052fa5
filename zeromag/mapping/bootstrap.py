"""Averages as they might have come out with other beats of the same heart, and intervals from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average

AT_ONCE = 25  # resampled averages in memory


def resampled(average: Average, draws: int, seed: int) -> Iterator[F64]:
    """Give `draws` averages of parts drawn with replacement: each (n_times, n_channels) T.

    A channel that a draw leaves without a beat keeps its average.
    """
    if average.parts is None or average.weights is None or len(average.parts) < 2:
        return
    n = len(average.parts)
    flat = (average.weights[:, None, :] * average.parts).reshape(n, -1)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)
    for first in range(0, draws, AT_ONCE):
        some = times[first : first + AT_ONCE]
        total = (some @ flat).reshape(len(some), *average.wave.shape)
        count = (some @ average.weights)[:, None, :]
        yield from np.where(count > 0, total / np.maximum(count, 1e-9), average.wave)


def widening(average: Average) -> float:
    """Return how much wider a percentile interval must be for few parts: Student's t, and n/(n−1) (Hesterberg 2015)."""
    from scipy.stats import t

    n = 2 if average.parts is None else max(2, len(average.parts))
    return float(t.ppf(0.975, n - 1) / 1.959964 * np.sqrt(n / (n - 1)))


def interval(
    value: float,
    draws: F64,
    wider: float,
    *,
    period: float | None = None,
    least: float = -np.inf,
    rises: bool = False,
) -> tuple[float, float]:
    """Return the 95 % interval around a value from its draws (NaN left out); `period` for angles in degrees.

    The basic interval (Davison and Hinkley 1997): what noise adds to the value it adds to the draws once more,
    so the draws are mirrored at the value. It always holds the value, and ends at the `least` one possible. What
    only `rises` with noise (a largest change) rises with its root: the draws, with twice the power, by √2 times
    what the value did, so that the value's own share is 1/(√2 − 1) of the difference.
    """
    away = draws[np.isfinite(draws)] - value
    if period is not None:
        away = (away + period / 2) % period - period / 2
    if len(away) < 20 or not np.isfinite(value):
        return float("nan"), float("nan")
    low, middle, high = np.quantile(away, (0.025, 0.5, 0.975)).tolist()
    if rises:
        high += max(middle, 0.0) * (1 / (np.sqrt(2) - 1) - 1)
    return max(min(least, value), value - wider * max(high, 0.0)), value + wider * max(-low, 0.0)
