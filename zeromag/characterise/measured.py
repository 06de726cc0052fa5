"""A measured number: its value, the 95 % interval around it, its unit and how the interval was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # two-sided 95 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Measured:
    """One number with its interval; `low` and `high` are NaN where nothing tells how sure it is."""

    value: float
    low: float
    high: float
    unit: str
    method: str = ""  # what the interval was made by

    def scaled(self, factor: float, unit: str) -> Self:
        """Return the same in another unit."""
        low, high = sorted((self.low * factor, self.high * factor))
        return type(self)(self.value * factor, low, high, unit, self.method)

    def to_dict(self) -> dict[str, object]:
        """Return what goes into JSON; a number that is not known is null."""
        return {key: None if isinstance(x, float) and not np.isfinite(x) else x for key, x in asdict(self).items()}


def around(value: float, error: float, unit: str, method: str) -> Measured:
    """Return value ± 1.96 standard errors."""
    return Measured(float(value), float(value - Z95 * error), float(value + Z95 * error), unit, method)


def around_log(value: float, relative: float, unit: str, method: str) -> Measured:
    """Return value with an interval that is symmetric on a logarithmic scale: a positive number stays one.

    With a relative error of 10 or more nothing is known of it: from 0 to infinity.
    """
    if not relative < 10:
        return Measured(float(value), 0.0, float("inf"), unit, method)
    spread = float(np.exp(Z95 * relative))
    return Measured(float(value), float(value / spread), float(value * spread), unit, method)


def widened(squares: float, free: int, *, heard: int = 50) -> float:
    """Return what variances are to be multiplied by where a fit leaves `squares` (in squared errors) over: 1 or more.

    1 unless noise leaves so much over once in a hundred times only; `heard` are the degrees of freedom with
    which the errors themselves are known.
    """
    from scipy.special import fdtri

    if free < 1:
        return 1.0
    excess = squares / free
    return excess if excess > float(fdtri(free, heard, 0.99)) else 1.0


def unknown(value: float, unit: str) -> Measured:
    """Return a value that nothing gives an interval to."""
    return Measured(float(value), float("nan"), float("nan"), unit, "none")


def median_over(values: NDArray[np.float64], unit: str, *, seed: int = 0) -> Measured:
    """Return the median over channels, its interval by 1000 bootstrap draws of channels; NaN are left out."""
    known = values[np.isfinite(values)]
    if not len(known):
        return unknown(float("nan"), unit)
    draws = np.random.default_rng(seed).integers(0, len(known), (1000, len(known)))
    low, high = np.percentile(np.median(known[draws], axis=1), [2.5, 97.5])
    return Measured(float(np.median(known)), float(low), float(high), unit, "bootstrap over channels")


def spread_over(values: NDArray[np.float64], unit: str, *, lost: int = 1) -> Measured:
    """Return the standard deviation over channels, its interval by χ²; `lost` degrees of freedom were fitted away."""
    from scipy.stats import chi2

    known = values[np.isfinite(values)]
    free = len(known) - lost
    if free < 1:
        return unknown(float("nan"), unit)
    total = float(np.sum((known - known.mean()) ** 2))
    low, high = np.sqrt(total / chi2.ppf([0.975, 0.025], free))
    return Measured(float(np.sqrt(total / free)), float(low), float(high), unit, "χ² over channels")
