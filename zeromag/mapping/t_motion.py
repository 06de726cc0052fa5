"""How the map moves while the T wave grows from a third of its height to its peak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.current_class import current_class
from zeromag.mapping.fiducials import Fiducials
from zeromag.mapping.map_operator import MapOperator
from zeromag.mapping.poles import currents, poles_of_maps

TICK = 0.005  # s between the maps whose change is followed
SPAN = 0.030  # s within which a change counts (Park et al. 2005)
DEGREE = 3  # of the polynomial in time that each channel is smoothed by
EVERY = 2  # ticks between the maps that are classed
MARGIN = 0.010  # s beyond both ends that it is fitted to


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """The smoothed field while T grows: `readings` (n_ticks, n_channels) T at `time` s from R, the last at T's peak."""

    time: F64
    readings: F64


def growth(time: F64, wave: F64, marks: Fiducials) -> Growth | None:
    """Return T's growth in ticks of 5 ms; None when T, or where it begins to grow, is not seen.

    A cubic in time for each channel: between a third and the peak a T wave bends no more than that, and its noise
    is that of four numbers and not of every sample.
    """
    begin = marks.t_third if np.isfinite(marks.t_third) else marks.qrs_end
    if not (np.isfinite(marks.t_peak) and marks.t_peak - begin >= 2 * TICK):
        return None
    ticks = marks.t_peak - TICK * np.arange(int((marks.t_peak - begin) / TICK + 1e-9) + 1)[::-1]
    rows = np.flatnonzero((time >= begin - MARGIN) & (time <= marks.t_peak + MARGIN))
    if len(rows) < 2 * (DEGREE + 1):
        return None
    middle, half = (begin + marks.t_peak) / 2, (marks.t_peak - begin) / 2 + MARGIN
    known = np.vander((time[rows] - middle) / half, DEGREE + 1)
    wanted = np.vander((ticks - middle) / half, DEGREE + 1)
    readings = np.asarray(wanted @ np.linalg.pinv(known) @ wave[rows], dtype=np.float64)
    return Growth(np.asarray(ticks, dtype=np.float64), readings)


def t_motion(operator: MapOperator, grown: Growth) -> Mapping[str, float]:
    """Return the largest changes of the poles within 30 ms, the turn of the total current, and the currents' class.

    The changes are those of Park et al. 2005; the class is the mean over maps 10 ms apart (Chaikovsky et al.).
    """
    pairs = poles_of_maps(operator.grid, operator.bz(grown.readings))
    angles = np.unwrap([pair.angle for pair in pairs], period=360)
    rows = np.unique(np.r_[0, np.arange((len(pairs) - 1) % EVERY, len(pairs), EVERY)])
    jx, jy = operator.currents(grown.readings[rows])
    first, last = (currents(operator.grid, jx[k], jy[k]) for k in (0, -1))
    return {
        "angle_change_T": largest_change(angles, TICK, SPAN),
        "distance_change_T": largest_change(np.array([pair.distance for pair in pairs]), TICK, SPAN),
        "ratio_change_T": largest_change(np.array([pair.ratio for pair in pairs]), TICK, SPAN),
        "total_current_turn_T": (last.total_angle - first.total_angle + 180) % 360 - 180,
        "cdv_class": float(np.mean([current_class(operator.grid.mask, x, y) for x, y in zip(jx, jy, strict=True)])),
    }


def largest_change(values: F64, step: float, span: float) -> float:
    """Return the largest difference between two values no more than `span` apart, `step` being between neighbours."""
    reach = max(1, int(span / step + 1e-9))
    changes = [float(np.abs(values[k:] - values[:-k]).max()) for k in range(1, min(reach, len(values) - 1) + 1)]
    return max(changes, default=0.0)
