"""Parameters of a scan, each with its 95 % interval by bootstrap over beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.bootstrap import interval, resampled, widening
from zeromag.mapping.intervals import typical_rr
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import UNITS, Measures

DRAWS = 200


class Parameter(TypedDict):
    """One number with its interval; `low` and `high` are None while too few beats tell."""

    value: float
    low: float | None
    high: float | None
    unit: str


def parameters(
    average: Average, beats: Sequence[Beat] = (), mapper: Mapper | None = None, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Parameter]:
    """Return every parameter that this average tells; the same numbers each time, the draws being seeded."""
    measures = Measures(average, mapper or Mapper(), typical_rr(beats))
    found = measures(average.wave)
    drawn = [measures(wave, doubling=2.0) for wave in resampled(average, draws, seed)]
    wider = widening(average)
    result: dict[str, Parameter] = {}
    for name, value in found.items():
        values = np.array([one.get(name, np.nan) for one in drawn])
        unit = UNITS[name]
        low, high = interval(value, values, wider, period=unit.period, least=unit.least, rises=unit.rises)
        result[name] = Parameter(value=float(value), low=_told(low), high=_told(high), unit=unit.name)
    return result


def _told(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None  # msgpack knows no numpy.float64
