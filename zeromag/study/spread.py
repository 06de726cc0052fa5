"""How a parameter is spread over the members of a study, and who stands far off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FAR: Final = 3.5  # modified z-score beyond which a value is an outlier (Iglewicz and Hoaglin 1993)
FEWEST: Final = 5  # values below which nobody can stand off


@dataclass(frozen=True, slots=True)
class Spread:
    """Frozen summary of one parameter."""

    name: str
    unit: str
    count: int
    median: float
    low: float  # 25th percentile
    high: float  # 75th
    outliers: tuple[tuple[str, float, float], ...]  # member, value, modified z-score


def spread(name: str, unit: str, members: Sequence[str], values: Sequence[float]) -> Spread:
    """Return the summary of `values`, one a member; angles (deg) are taken around their circular mean.

    The modified z-score is 0.6745 (x − median) / MAD; where more than half the values agree and MAD is 0
    there is none, and nobody is called an outlier.
    """
    x = np.asarray(values, dtype=np.float64)
    around = _circular_mean(x) if unit == "deg" else 0.0
    x = _wrapped(x - around) if unit == "deg" else x
    low, median, high = np.percentile(x, [25, 50, 75])
    scale = float(np.median(np.abs(x - median)))
    scores = 0.6745 * (x - median) / scale if scale > 0 else np.zeros(len(x))
    far: list[int] = np.flatnonzero(np.abs(scores) > FAR).tolist() if len(x) >= FEWEST else []
    told = _wrapped(np.array([median, low, high]) + around) if unit == "deg" else np.array([median, low, high])
    return Spread(
        name=name,
        unit=unit,
        count=len(x),
        median=float(told[0]),
        low=float(told[1]),
        high=float(told[2]),
        outliers=tuple((members[k], float(values[k]), float(scores[k])) for k in far),
    )


def _circular_mean(degrees: NDArray[np.float64]) -> float:
    angle = np.angle(np.mean(np.exp(1j * np.deg2rad(degrees))))
    return float(np.rad2deg(angle))


def _wrapped(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return angles within −180 to 180."""
    inside: NDArray[np.float64] = (degrees + 180.0) % 360.0 - 180.0
    return inside
