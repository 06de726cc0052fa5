"""Averages as they might have come out with other beats of the same heart, and intervals from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.unit import Unit

AT_ONCE = 25  # resampled averages in memory
TOLD = 0.5  # share of the draws in which a parameter must be told, for an interval of it
NOWHERE = float("nan"), float("nan")


def resampled(average: Average, draws: int, seed: int) -> Iterator[tuple[F64, float]]:
    """Give `draws` averages of parts drawn with replacement: (n_times, n_channels) T, and their median RR, s.

    A channel that a draw leaves without a beat keeps its average; RR is NaN where the parts have none.
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
        waves = np.where(count > 0, total / np.maximum(count, 1e-9), average.wave)
        yield from zip(waves, (_median_rr(average, drawn) for drawn in some), strict=True)


def median_rr(average: Average) -> float:
    """Return the median RR of the averaged beats, s; NaN where it is not known."""
    return _median_rr(average, np.ones(0 if average.rr is None else len(average.rr)))


def _median_rr(average: Average, times: F64) -> float:
    if average.rr is None:
        return float("nan")
    drawn = np.repeat(average.rr, times.astype(np.int64))
    drawn = drawn[np.isfinite(drawn)]
    return float(np.median(drawn)) if len(drawn) else float("nan")


def interval(value: float, draws: F64, parts: int, unit: Unit) -> tuple[float, float, float]:
    """Return a value, freed of what noise adds to it, and its 95 % interval, from its draws out of `parts` parts.

    Student's interval with the bootstrap's standard deviation, times √(n/(n−1)) since n parts drawn out of n vary
    that much less than the beats they stand for (Efron and Tibshirani 1993). NaN when too few draws tell.

    A size is treated apart, see `_size`.
    """
    from scipy.stats import t

    told = draws[np.isfinite(draws)]
    if parts < 2 or len(told) < max(20, TOLD * len(draws)) or not np.isfinite(value):
        return (value, *NOWHERE)
    wider = float(t.ppf(0.975, parts - 1) * np.sqrt(parts / (parts - 1)))
    if unit.power:
        power, drawn = value**unit.power, told**unit.power
        ends = _size(power, float(drawn.mean()) - power, float(drawn.var(ddof=1)), wider, parts)
        best, low, high = (max(0.0, one) ** (1 / unit.power) for one in ends)
        return best, low, high
    away = told - value
    if unit.period is not None:
        away = (away + unit.period / 2) % unit.period - unit.period / 2
    half = wider * float(np.sqrt(np.mean((away - away.mean()) ** 2) * len(away) / (len(away) - 1)))
    if unit.period is not None:
        half = min(half, unit.period / 2)
    return value, max(unit.least, value - half), value + half


def _size(power: float, added: float, variance: float, wider: float, parts: int) -> tuple[float, float, float]:
    """Return the power of a size without noise, and the ends of its interval.

    A share of energy or a largest change can only be raised by noise: its power q = s + nσ² holds the noise's own.
    A draw holds that twice, so that what the draws add to q is what q has too many. Around a q that holds noise itself
    they vary by 4qσ² + 2nσ⁴, and q around s by 4sσ² + 2nσ⁴: the interval is of those s from which q is not farther
    than `wider` of their own standard deviations (a score interval, as Wilson's of a share).
    """
    noise = max(0.0, added * parts / (parts - 1))
    true = power - noise
    each = variance / max(4 * power + 2 * noise, 1e-300)  # σ²
    lean = 2 * wider**2 * each
    reach = float(np.sqrt(max(0.0, lean**2 + wider**2 * each * (4 * true + 2 * noise))))
    return true, true + lean - reach, true + lean + reach
