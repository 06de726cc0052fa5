"""Two scans side by side: both hearts' maps in one plane, their difference, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import fiducials
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter
from zeromag.mapping.unit import UNITS
from zeromag.physics.frame import Frame, array_frame

LEVEL = 0.05
NORMAL = 1.96  # standard deviations in half a 95 % interval
REACH = 0.12  # m, half the standard map


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter in both scans."""

    first: Parameter
    second: Parameter
    difference: float
    low: float | None  # 95 % interval of the difference, the scans being independent
    high: float | None
    p: float | None  # of a difference as large by chance, were it normal
    p_holm: float | None = None  # the same among all the parameters that were compared (Holm 1979)

    @property
    def significant(self) -> bool:
        """Whether the difference is one of those that chance makes in one comparison of twenty, all counted together.

        Of forty parameters two have an interval that leaves out zero though nothing changed.
        """
        return self.p_holm is not None and self.p_holm < LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Maps of two averages on one grid, at R and (where both have one) at T."""

    peaks: tuple[str, ...]
    first: FieldMap
    second: FieldMap
    difference: F64  # (n_peaks, ny, nx) T, second − first
    z: F64  # (n_peaks, ny, nx) difference over its standard deviation
    correlation: tuple[float, ...]  # of the two maps at each peak, over what both arrays see
    changes: Mapping[str, Change]


def standard_plane(average: Average) -> Frame:
    """Return the plane of an average's array, in which another array over the same chest can be mapped too."""
    return array_frame(average.sensors)


def compare(
    first: Average,
    second: Average,
    first_parameters: Mapping[str, Parameter] | None = None,
    second_parameters: Mapping[str, Parameter] | None = None,
    mapper: Mapper | None = None,
) -> Comparison:
    """Return two averages on the standard grid: the plane of the first array, both in one coordinate system.

    Raises
    ------
    ValueError
        If one of the arrays carries no map; one sentence.
    """
    mapper = replace(mapper or Mapper(), plane=standard_plane(first), reach=REACH)
    marks = [fiducials(average) for average in (first, second)]
    peaks = {"R": [mark.r_peak for mark in marks], "T": [mark.t_peak for mark in marks]}
    told = tuple(name for name, times in peaks.items() if np.isfinite(times).all())
    one, other = (_at(average, mapper, [peaks[name][k] for name in told]) for k, average in enumerate((first, second)))
    mask = one.grid.mask & other.grid.mask
    difference = other.bz - one.bz
    both = Grid(x=one.grid.x, y=one.grid.y, mask=mask)
    return Comparison(
        peaks=told,
        first=replace(one, grid=both),
        second=replace(other, grid=both),
        difference=difference,
        z=difference / np.hypot(one.bz_sd, other.bz_sd),
        correlation=tuple(
            float(np.corrcoef(one.bz[k][mask], other.bz[k][mask])[0, 1]) if mask.any() else float("nan")
            for k in range(len(told))
        ),
        changes=changes(first_parameters or {}, second_parameters or {}),
    )


def changes(first: Mapping[str, Parameter], second: Mapping[str, Parameter]) -> dict[str, Change]:
    """Return the parameters that both scans tell, with the difference and its interval."""
    found: dict[str, Change] = {}
    for name in first:
        if name not in second:
            continue
        one, other = first[name], second[name]
        period = UNITS[name].period
        difference = other["value"] - one["value"]
        if period is not None:
            difference = (difference + period / 2) % period - period / 2
        down = _root(other["value"], other["low"], one["value"], one["high"])
        up = _root(other["value"], other["high"], one["value"], one["low"])
        low = None if down is None else difference - down
        high = None if up is None else difference + up
        found[name] = Change(one, other, difference, low, high, _chance(difference, low, high))
    return _together(found)


def _chance(difference: float, low: float | None, high: float | None) -> float | None:
    """Return the two-sided p of a difference from the side of its interval that lies towards zero."""
    if low is None or high is None:
        return None
    half = difference - low if difference > 0 else high - difference
    return math.erfc(abs(difference) / (half / NORMAL) / math.sqrt(2)) if half > 0 else float(difference == 0)


def _together(found: Mapping[str, Change]) -> dict[str, Change]:
    """Return the changes with Holm's p: the k-th smallest of m times m − k, none below the one before it."""
    told = sorted((change.p, name) for name, change in found.items() if change.p is not None)
    corrected = dict(found)
    least = 0.0
    for k, (p, name) in enumerate(told):
        least = max(least, min(1.0, p * (len(told) - k)))
        corrected[name] = replace(found[name], p_holm=least)
    return corrected


def _root(value: float, end: float | None, other: float, other_end: float | None) -> float | None:
    """Return the half width of a difference from one half width of each side."""
    return None if end is None or other_end is None else float(np.hypot(end - value, other_end - other))


def _at(average: Average, mapper: Mapper, times: list[float]) -> FieldMap:
    operator = mapper.operator_for(average)
    rows = [average.at(time) for time in times]
    return operator(average.time[rows], average.wave[rows])
