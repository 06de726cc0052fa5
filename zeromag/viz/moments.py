"""Which instants of the averaged beat a report shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import fiducials
from zeromag.mapping.field_map import FieldMap

STEP = 0.01  # s between the maps of ST-T


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Rows of a field map's time."""

    peaks: dict[str, int]  # of `P`, `R` and `T`, those that are seen
    st_t: NDArray[np.int64]  # every 10 ms from the end of QRS to the end of T


def moments(average: Average | None, field_map: FieldMap) -> Moments:
    """Return the instants of the peaks by the beat's fiducials, and those of ST-T; R alone when there is no beat."""
    if average is None:
        return Moments({"R": _row(field_map, 0.0)}, np.zeros(0, dtype=np.int64))
    marks = fiducials(average)
    wanted = {"P": marks.p_peak, "R": 0.0, "T": marks.t_peak}
    inside = (float(field_map.time[0]), float(field_map.time[-1]))
    peaks = {name: _row(field_map, time) for name, time in wanted.items() if inside[0] <= time <= inside[1]}
    if not np.isfinite([marks.qrs_end, marks.t_end]).all():
        return Moments(peaks, np.zeros(0, dtype=np.int64))
    times = np.arange(np.ceil(marks.qrs_end / STEP), np.floor(marks.t_end / STEP) + 1) * STEP
    times = times[(times >= inside[0]) & (times <= inside[1])]
    return Moments(peaks, np.array([_row(field_map, float(time)) for time in times], dtype=np.int64))


def _row(field_map: FieldMap, seconds: float) -> int:
    return int(np.argmin(np.abs(field_map.time - seconds)))
