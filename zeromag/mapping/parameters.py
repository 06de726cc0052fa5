"""Parameters of a scan, each with its 95 % interval by bootstrap over beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.bootstrap import interval, median_rr, resampled
from zeromag.mapping.intervals import typical_rr
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.unit import UNITS


class Parameter(TypedDict):
    """One number with its interval; `low` and `high` are None while too few beats tell."""

    value: float
    low: float | None
    high: float | None
    unit: str


def parameters(
    average: Average,
    beats: Sequence[Beat] = (),
    mapper: Mapper | None = None,
    *,
    between: Callable[[], object] = lambda: None,
) -> dict[str, Parameter]:
    """Return every parameter that this average tells; the same numbers each time, for the draws are always the same.

    RR is the median of the averaged beats, or where the average does not carry it, of all `beats`. `between` is called
    before each draw, so that many channels need not hold up a stream.
    """
    measures = Measures(average, mapper or Mapper())
    rr = median_rr(average)
    known = bool(np.isfinite(rr))
    rr = rr if known else typical_rr(beats)
    found = measures(average.wave, rr)
    drawn = []
    for wave, some in resampled(average):
        between()
        drawn.append(measures(wave, some if known else rr))
    parts = 0 if average.parts is None else len(average.parts)
    result: dict[str, Parameter] = {}
    for name, value in found.items():
        values = np.array([one.get(name, np.nan) for one in drawn])
        best, low, high = interval(value, values, parts, UNITS[name])
        result[name] = Parameter(value=float(best), low=_told(low), high=_told(high), unit=UNITS[name].name)
    return result


def _told(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None  # msgpack knows no numpy.float64
