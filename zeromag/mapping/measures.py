"""Every parameter of one averaged wave, as plain numbers; each is defined in docs/parameters.md."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.average import Average
from zeromag.mapping.channel_qt import channel_qt
from zeromag.mapping.dipole import PARAMETERS, DipoleFit, DipoleFitter
from zeromag.mapping.fiducials import Fiducials, beat_to_beat, marks, signal_space
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.intervals import intervals
from zeromag.mapping.map_operator import MapOperator
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.poles import Currents, Poles, currents, poles
from zeromag.mapping.t_motion import growth, t_motion
from zeromag.mapping.wave_shape import qrs_fragmentation, st_fluctuation


class Measures:
    """The way from a wave to its numbers, with map and dipole grid made once for all draws."""

    def __init__(self, average: Average, mapper: Mapper) -> None:
        self._time, self._good, self._kind = average.time, average.good, average.kind
        # of all channels nothing is copied: of a thousand a copy is megabytes
        self._taken: BOOL | slice = slice(None) if average.good.all() else average.good
        self._space = signal_space(average) if average.good.any() else np.zeros((0, 0))
        self._rate = 1.0 / (average.time[1] - average.time[0])
        self._rr = beat_to_beat(average)
        self._channels = channel_qt(average, self.marks(average.wave))
        self.operator: MapOperator | None = None
        self._fitter: DipoleFitter | None = None
        if not mapper.why_not(average.sensors, average.good):
            self.operator = mapper.operator_for(average)
            if average.good.sum() > PARAMETERS:
                # every channel weighs the same: what share of the field one dipole leaves must not depend on noise
                alike = np.full(len(average.noise), float(np.sqrt(np.mean(average.noise[average.good] ** 2))))
                self._fitter = DipoleFit().of(average.sensors, average.good, alike)

    def __call__(self, wave: F64, rr: float) -> dict[str, float]:
        """Return every parameter of a wave (n_times, n_channels) T, `rr` s from beat to beat; those not told miss."""
        if not self._good.any():
            return {}
        marks = self.marks(wave)
        found = intervals(marks, rr)
        found |= self._shape(wave, marks)
        if self.operator is not None:
            found |= self._maps(self.operator, wave, marks)
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def poles_at(self, wave: F64, seconds: float) -> Poles | None:
        """Return the poles of the map at a time from R."""
        if self.operator is None or not np.isfinite(seconds):
            return None
        row = self._row(seconds)
        return poles(self.operator.grid, self.operator.bz(wave[row : row + 1])[0], self.operator.margin)

    def marks(self, wave: F64) -> Fiducials:
        """Return the fiducials of a wave."""
        if not self._good.any():
            return Fiducials()
        return marks(self._kind, self._time, wave[:, self._taken] @ self._space, self._rr)

    def channels_qt(self, wave: F64) -> F64:
        """Return the QT interval of every channel, s: (n_channels,), NaN where T is too small to tell."""
        qt = np.full(len(self._good), np.nan)
        qt[self._channels.columns] = self._channels(self._time, wave, self.marks(wave))
        return qt

    def _row(self, seconds: float) -> int:
        return int(np.clip(round((seconds - self._time[0]) * self._rate), 0, len(self._time) - 1))

    def _at(self, wave: F64, seconds: float) -> F64:
        """Return the readings at a time from R, between samples by a parabola, so that nothing jumps: (n_channels,)."""
        k = int(np.clip(round((seconds - self._time[0]) * self._rate), 1, len(self._time) - 2))
        d = (seconds - self._time[k]) * self._rate
        before, here, after = wave[k - 1], wave[k], wave[k + 1]
        return np.asarray(here + 0.5 * d * (after - before) + 0.5 * d * d * (before - 2 * here + after))

    def _shape(self, wave: F64, marks: Fiducials) -> dict[str, float]:
        seen = wave[:, self._taken]
        found: dict[str, float] = {}
        if np.isfinite(marks.qrs_end - marks.qrs_onset):
            found["qrs_fragmentation"] = qrs_fragmentation(seen[self._row(marks.qrs_onset) : self._row(marks.qrs_end)])
            size = float(np.sqrt(np.mean(seen[self._row(marks.r_peak)] ** 2)))
            found["st_fluctuation"] = st_fluctuation(self._time, seen, marks.qrs_end, size)
        return found | dict(self._channels.spread(self._channels(self._time, wave, marks)))

    def _maps(self, operator: MapOperator, wave: F64, marks: Fiducials) -> dict[str, float]:
        found: dict[str, float] = {}
        instants = {"R": marks.r_peak, "T": marks.t_peak, "T begins": marks.t_onset}
        told = {name: seconds for name, seconds in instants.items() if np.isfinite(seconds)}
        # all at once: of a thousand channels the weights take longer to come from memory than to be summed
        times, readings = np.array(list(told.values())), [self._at(wave, seconds) for seconds in told.values()]
        maps = operator(times, np.array(readings).reshape(-1, len(self._good)))
        totals: dict[str, Currents] = {}
        for k, name in enumerate(told):
            totals[name] = currents(maps.grid, maps.jx[k], maps.jy[k])
            if name != "T begins":
                at = self._at_peak(maps, k, totals[name], readings[k])
                found |= {f"{what}_{name}": value for what, value in at.items()}
        if "R" in totals and "T" in totals:
            found["r_t_angle"] = _turn(totals["R"].total_angle, totals["T"].total_angle)
            found |= _tbeg_tmax(totals)
        grown = growth(self._time, wave, marks)
        if grown is not None:
            found |= t_motion(operator, grown)
        return found

    def _at_peak(self, maps: FieldMap, k: int, current: Currents, reading: F64) -> dict[str, float]:
        pair = poles(maps.grid, maps.bz[k])
        goodness = self._fitter(reading).goodness if self._fitter is not None else float("nan")
        return {
            "map_angle": pair.angle,
            "pole_distance": pair.distance,
            "pole_ratio": pair.ratio,
            "current_angle": current.angle,
            "max_current": current.strongest,
            "total_current": current.total,
            "total_current_angle": current.total_angle,
            "non_dipolarity": 1.0 - goodness,
        }


def _tbeg_tmax(totals: Mapping[str, Currents]) -> dict[str, float]:
    """Return by what vector the total current changes from T's beginning to its peak, over its length at R."""
    if "T begins" not in totals:
        return {}
    begin, end, size = totals["T begins"].vector, totals["T"].vector, totals["R"].total
    across, up = end[0] - begin[0], end[1] - begin[1]
    return {
        "tbeg_tmax_vector": float(np.hypot(across, up)) / size if size > 0 else float("nan"),
        "tbeg_tmax_angle": float(np.degrees(np.arctan2(up, across))),
    }


def _turn(first: float, last: float) -> float:
    return (last - first + 180) % 360 - 180
