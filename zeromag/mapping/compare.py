"""Two scans side by side: both hearts' maps in one plane, their difference, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.change import LEVEL, Change, changes
from zeromag.mapping.fiducials import Fiducials, fiducials
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.mapping.map_operator import MapOperator
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter
from zeromag.physics.frame import Frame, array_frame

REACH = 0.12  # m, half the standard map
AFTER_QRS = 0.060  # s, where the ST segment's level is read, as it is in an ECG


@dataclass(frozen=True, slots=True)
class Spot:
    """What differs most between the two maps of one instant."""

    difference: float  # T, second − first
    z: float  # the same over its standard deviation, the largest of the map
    x: float  # m, to the patient's left in the standard plane
    y: float  # m, to the head
    share: float  # of what both arrays see, in which the difference is more than chance


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Maps of two averages on one grid, at R, in the ST segment and at T, as far as both have them."""

    peaks: tuple[str, ...]
    first: FieldMap
    second: FieldMap
    difference: F64  # (n_peaks, ny, nx) T, second − first
    z: F64  # (n_peaks, ny, nx) difference over its standard deviation: of the maps and from beat to beat
    sure: float  # from which |z| is more than chance anywhere in these maps: 1 pair of equal scans in 20 reaches it
    correlation: tuple[float, ...]  # of the two maps at each peak, over what both arrays see
    changes: Mapping[str, Change]

    def spot(self, k: int) -> Spot:
        """Return where the maps of instant `k` differ most surely, and over how much of them."""
        grid = self.first.grid
        size = np.where(grid.mask, np.abs(self.z[k]), 0.0)
        row, column = np.unravel_index(int(np.argmax(size)), size.shape)
        share = float(np.mean(size[grid.mask] >= self.sure)) if grid.mask.any() else float("nan")
        at = float(self.difference[k, row, column]), float(self.z[k, row, column])
        return Spot(*at, float(grid.x[column]), float(grid.y[row]), share)


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
    times = [_instants(fiducials(average)) for average in (first, second)]
    told = tuple(name for name in times[0] if np.isfinite([one[name] for one in times]).all())
    (one, one_sd), (other, other_sd) = (
        _at(average, mapper.operator_for(average), [at[name] for name in told])
        for average, at in zip((first, second), times, strict=True)
    )
    mask = one.grid.mask & other.grid.mask
    difference = other.bz - one.bz
    both = Grid(x=one.grid.x, y=one.grid.y, mask=mask)
    looks = max(1, len(told)) * int(min(first.good.sum(), second.good.sum()))
    return Comparison(
        peaks=told,
        first=replace(one, grid=both),
        second=replace(other, grid=both),
        difference=difference,
        z=difference / np.hypot(one_sd, other_sd),
        # a map holds no more numbers that differ by themselves than its array has channels (Bonferroni)
        sure=NormalDist().inv_cdf(1 - LEVEL / (2 * looks)),
        correlation=tuple(
            float(np.corrcoef(one.bz[k][mask], other.bz[k][mask])[0, 1]) if mask.any() else float("nan")
            for k in range(len(told))
        ),
        changes=changes(first_parameters or {}, second_parameters or {}),
    )


def _instants(marks: Fiducials) -> dict[str, float]:
    """Return when the maps are compared, s from R; NaN where a wave is not seen, or T peaks within the ST segment."""
    level = marks.qrs_end + AFTER_QRS
    return {"R": marks.r_peak, "ST": level if not marks.t_peak <= level else float("nan"), "T": marks.t_peak}


def _at(average: Average, operator: MapOperator, times: list[float]) -> tuple[FieldMap, F64]:
    """Return an average's maps at some times, and their standard deviation, which beats that differ add to."""
    rows = [average.at(time) for time in times]
    found = operator(average.time[rows], average.wave[rows])
    if average.parts is None or len(average.parts) < 2:
        return found, found.bz_sd
    n = len(average.parts)
    power = np.zeros_like(found.bz)
    for part, weight in zip(average.parts.stacked(), average.parts.shares(), strict=True):
        power += operator.bz(weight * (part[rows] - average.wave[rows])) ** 2
    return found, np.asarray(np.sqrt(found.bz_sd**2 + power * n / (n - 1)))
