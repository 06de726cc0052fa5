"""Every parameter of one averaged wave, as plain numbers; each is defined in docs/parameters.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64, I64
from zeromag.mapping.average import Average
from zeromag.mapping.dipole import PARAMETERS, DipoleFit, DipoleFitter
from zeromag.mapping.fiducials import Fiducials, signal_space, wave_fiducials
from zeromag.mapping.intervals import intervals
from zeromag.mapping.map_operator import MapOperator
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.poles import Poles, currents, poles, poles_of_maps

TICK = 0.005  # s between the maps whose change is followed
SPAN = 0.030  # s within which a change counts (Park et al. 2005)


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a parameter, and its period where it is an angle."""

    name: str
    period: float | None = None
    least: float = float("-inf")  # below which it cannot be
    rises: bool = False  # noise only makes it larger


DEGREES = Unit("deg", 360.0)
AT_PEAKS: dict[str, Unit] = {
    "map_angle": DEGREES,
    "pole_distance": Unit("m", least=0.0),
    "pole_ratio": Unit("1", least=0.0),
    "current_angle": DEGREES,
    "max_current": Unit("T/m", least=0.0),
    "total_current": Unit("T·m", least=0.0),
    "total_current_angle": DEGREES,
    "non_dipolarity": Unit("1", least=0.0),
}
UNITS: dict[str, Unit] = {
    **{f"{name}_{peak}": unit for peak in ("R", "T") for name, unit in AT_PEAKS.items()},
    "angle_change_T": Unit("deg", least=0.0, rises=True),
    "distance_change_T": Unit("m", least=0.0, rises=True),
    "ratio_change_T": Unit("1", least=0.0, rises=True),
    "r_t_angle": DEGREES,
    **{
        name: Unit("s", least=0.0)
        for name in ("p", "pr", "qrs", "qt", "qtc_bazett", "qtc_fridericia", "rt", "tpeak_tend")
    },
}


class Measures:
    """The way from a wave to its numbers, with map and dipole grid made once for all draws."""

    def __init__(self, average: Average, mapper: Mapper, rr: float) -> None:
        self._time, self._good, self._rr = average.time, average.good, rr
        self._space = signal_space(average) if average.good.any() else np.zeros((0, 0))
        self._rate = 1.0 / (average.time[1] - average.time[0])
        self._doubling = 1.0
        self.operator: MapOperator | None = None
        self._fitter: DipoleFitter | None = None
        if not mapper.why_not(average.sensors, average.good):
            self.operator = mapper.operator_for(average)
            if average.good.sum() > 5:
                self._fitter = DipoleFit().of(average.sensors, average.good, average.noise)

    def __call__(self, wave: F64, doubling: float = 1.0) -> dict[str, float]:
        """Return every parameter of a wave (n_times, n_channels) T; those that cannot be told are missing.

        `doubling` is how much more noise power than the average's the wave carries: 2 for a resampled one.
        """
        if not self._good.any():
            return {}
        self._doubling = doubling
        marks = self.marks(wave)
        found = intervals(marks, self._rr)
        if self.operator is not None:
            found |= self._maps(wave, marks)
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def poles_at(self, wave: F64, seconds: float) -> Poles | None:
        """Return the poles of the map at a time from R."""
        if self.operator is None or not np.isfinite(seconds):
            return None
        row = self._row(seconds)
        return poles(self.operator.grid, self.operator.bz(wave[row : row + 1])[0], self.operator.margin)

    def marks(self, wave: F64) -> Fiducials:
        """Return the fiducials of a wave."""
        return wave_fiducials(self._time, wave[:, self._good] @ self._space) if self._good.any() else Fiducials()

    def _row(self, seconds: float) -> int:
        return int(np.clip(round((seconds - self._time[0]) * self._rate), 0, len(self._time) - 1))

    def _maps(self, wave: F64, marks: Fiducials) -> dict[str, float]:
        found: dict[str, float] = {}
        totals: dict[str, float] = {}
        for peak, seconds in (("R", marks.r_peak), ("T", marks.t_peak)):
            if not np.isfinite(seconds):
                continue
            row = self._row(seconds)
            at = self._at(wave[row])
            totals[peak] = at["total_current_angle"]
            found |= {f"{name}_{peak}": value for name, value in at.items()}
        if len(totals) == 2:
            found["r_t_angle"] = (totals["T"] - totals["R"] + 180) % 360 - 180
        if np.isfinite(marks.t_peak):
            found |= self._changes(wave, marks)
        return found

    def _at(self, reading: F64) -> dict[str, float]:
        if self.operator is None:
            return {}
        field = self.operator(np.zeros(1), reading[None, :])
        pair = poles(field.grid, field.bz[0])
        current = currents(field.grid, field.jx[0], field.jy[0])
        return {
            "map_angle": pair.angle,
            "pole_distance": pair.distance,
            "pole_ratio": pair.ratio,
            "current_angle": current.angle,
            "max_current": current.strongest,
            "total_current": current.total,
            "total_current_angle": current.total_angle,
            "non_dipolarity": self._non_dipolarity(reading),
        }

    def _non_dipolarity(self, reading: F64) -> float:
        """Return the share of energy that one dipole leaves, in units of the noise and without the noise's own."""
        if self._fitter is None:
            return float("nan")
        found, n = self._fitter(reading), int(self._good.sum())
        rest = found.chi2 * (n - PARAMETERS)
        power = rest / (1.0 - found.goodness) if found.goodness < 1.0 else float("inf")
        noise = self._doubling
        return max(0.0, rest - noise * (n - PARAMETERS)) / max(power - noise * n, 1e-12)

    def _changes(self, wave: F64, marks: Fiducials) -> dict[str, float]:
        """Return how much angle, distance and ratio change within 30 ms between Tmax/3 and Tmax."""
        if self.operator is None:
            return {}
        stop = self._row(marks.t_peak)
        strength = np.sqrt(np.mean(wave[:, self._good] ** 2, axis=1))
        low = np.flatnonzero(strength[self._row(marks.qrs_end) : stop + 1] < strength[stop] / 3)
        start = self._row(marks.qrs_end) + (int(low[-1]) + 1 if len(low) else 0)
        every = max(1, round(TICK * self._rate))
        rows = np.arange(stop, start - 1, -every)[::-1]
        pairs = poles_of_maps(self.operator.grid, self.operator.bz(_around(wave, rows, every)))
        angles = np.unwrap([pair.angle for pair in pairs], period=360)
        return {
            "angle_change_T": largest_change(angles, TICK, SPAN),
            "distance_change_T": largest_change(np.array([pair.distance for pair in pairs]), TICK, SPAN),
            "ratio_change_T": largest_change(np.array([pair.ratio for pair in pairs]), TICK, SPAN),
        }


def _around(wave: F64, rows: I64, width: int) -> F64:
    """Return the mean of `width` samples around each row: (n_rows, n_channels) T."""
    before, after = (width - 1) // 2, width // 2
    return np.stack([wave[max(0, row - before) : row + after + 1].mean(axis=0) for row in rows.tolist()])


def largest_change(values: F64, step: float, span: float) -> float:
    """Return the largest difference between two values no more than `span` apart, `step` being between neighbours."""
    reach = max(1, int(span / step + 1e-9))
    changes = [float(np.abs(values[k:] - values[:-k]).max()) for k in range(1, min(reach, len(values) - 1) + 1)]
    return max(changes, default=0.0)
