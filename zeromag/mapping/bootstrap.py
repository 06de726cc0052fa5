"""Averages as they might have come out with other beats of the same heart, and intervals from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.unit import Unit

HALVES = 64  # ways to split the beats in two
AT_ONCE = 16  # resampled averages in memory
TOLD = 0.5  # share of the draws in which a parameter must be told, for an interval of it
NOWHERE = float("nan"), float("nan")


def resampled(average: Average) -> Iterator[tuple[F64, float]]:
    """Give averages in which one half of the parts counts twice: (n_times, n_channels) T, and their median RR, s.

    The halves are balanced: those of a Hadamard matrix, so that over all of them each pair of parts is drawn as often
    together as apart. What a parameter varies by is then, as far as it is linear, exactly what the bootstrap with
    endless draws would say, and nothing is left to chance (McCarthy 1969). A channel that misses some parts varies
    by those that it has. RR is NaN where the parts have none.
    """
    if average.parts is None or len(average.parts) < 2:
        return
    n = len(average.parts)
    away = average.parts.stacked()
    away -= average.wave
    away *= average.parts.shares()[:, None, :]
    away, signs = away.reshape(n, -1), _signs(n)
    for first in range(0, HALVES, AT_ONCE):
        some = signs[first : first + AT_ONCE]
        waves = (some @ away).reshape(len(some), *average.wave.shape)
        waves += average.wave  # in place: another array of that size would be new pages each time
        yield from zip(waves, (_median_rr(average, 1.0 + drawn) for drawn in some), strict=True)


def _signs(n: int) -> F64:
    """Return which of `n` parts each draw counts twice (+1) and which not at all (−1): (HALVES, n).

    Columns of Sylvester's matrix but its first, which is all ones; of more parts than those, two share a column.
    Each row is turned round or not, so that no three columns are bound to each other as they are in that matrix.
    """
    sylvester = np.ones((1, 1))
    while len(sylvester) < HALVES:
        sylvester = np.block([[sylvester, sylvester], [sylvester, -sylvester]])
    columns = sylvester[:HALVES, 1 + np.arange(n) % (HALVES - 1)]
    turned = np.random.default_rng(0).choice([-1.0, 1.0], size=(HALVES, 1))
    return np.ascontiguousarray(turned * columns)


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

    Student's interval with the root mean square of how far the draws lie from the value, so that what they all lie
    beside it counts too, times √(n/(n−1)) since n parts drawn out of n vary that much less than the beats they stand
    for (Efron and Tibshirani 1993). NaN when too few draws tell.

    A size is treated apart, see `_size`.
    """
    told = draws[np.isfinite(draws)]
    if parts < 2 or len(told) < max(20, TOLD * len(draws)) or not np.isfinite(value):
        return (value, *NOWHERE)
    wider = _student(parts)
    if unit.power:
        power, drawn = value**unit.power, told**unit.power
        ends = _size(power, float(drawn.mean()) - power, float(drawn.var(ddof=1)), wider, parts)
        best, low, high = (max(0.0, one) ** (1 / unit.power) for one in ends)
        return best, low, high
    away = told - value
    if unit.period is not None:
        away = (away + unit.period / 2) % unit.period - unit.period / 2
    half = wider * float(np.sqrt(np.mean(away**2)))
    if unit.period is not None:
        half = min(half, unit.period / 2)
    return value, max(unit.least, value - half), value + half


def _student(parts: int) -> float:
    """Return how many standard deviations of the draws of so many parts a 95 % interval reaches to each side."""
    from scipy.special import stdtrit

    return float(stdtrit(parts - 1, 0.975) * np.sqrt(parts / (parts - 1)))


def _size(power: float, added: float, variance: float, wider: float, parts: int) -> tuple[float, float, float]:
    """Return the power of a size without noise, and the ends of its interval.

    A share of energy or a largest change can only be raised by noise: its power q = s + nσ² holds the noise's own.
    A draw holds that twice, so that what the draws add to q is what q has too many. Around a q that holds noise itself
    they vary by 4qσ² + 2nσ⁴, and q around s by 4sσ² + 2nσ⁴: the interval is of those s from which q is not farther
    than `wider` (a score interval, as Wilson's of a share), counted in standard deviations of the cube root of q,
    which is as good as normal where q itself leans (noncentral χ²: Abdel-Aty 1954).
    """
    noise = max(0.0, added * parts / (parts - 1))
    each = variance / max(4 * power + 2 * noise, 1e-300)  # σ²
    if not power > 0:
        return 0.0, 0.0, 0.0

    def away(true: float) -> float:
        mean = true + noise
        spread = 2 * each * (noise + 2 * true) / (9 * mean * mean)
        return float(((power / mean) ** (1 / 3) - 1 + spread) / np.sqrt(max(spread, 1e-300)))

    low, high = (_falls_to(away, target, 4 * power + 20 * each * wider**2) for target in (wider, -wider))
    return power - noise, low, high


def _falls_to(falling: Callable[[float], float], target: float, most: float) -> float:
    """Return where a falling function reaches a value, by halving; 0 where it lies below that from the beginning."""
    low, high = 0.0, most
    if falling(1e-12 * most) <= target:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > target else (low, middle)
    return low
