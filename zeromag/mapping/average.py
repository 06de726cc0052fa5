"""The averaged beat of one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.parts import Parts
from zeromag.sensors import SensorArray

MAIN = ("normal", "fetal")  # classes that a scan's numbers are of: an adult's usual beat, or a fetus's


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Beats of one class on top of each other, aligned at R, zero on the PR segment."""

    kind: str  # the class: `normal`, `ectopic`, …
    time: NDArray[np.float64]  # (n_times,) s from R
    wave: NDArray[np.float64]  # (n_times, n_channels) T
    noise: NDArray[np.float64]  # (n_channels,) T, standard deviation of `wave`
    nave: int  # beats in it
    sensors: SensorArray
    good: NDArray[np.bool_]  # (n_channels,) channels that can be used
    parts: Parts | None = None  # means of some beats each
    rr: NDArray[np.float64] | None = None  # (n_parts,) s, mean RR before those beats; NaN where none is known

    @property
    def main(self) -> bool:
        """Whether this is the usual beat of the heart that the scan is about."""
        return self.kind in MAIN

    @property
    def rate(self) -> float:
        """Return its samples a second, Hz; fewer than the stream's where that is fast."""
        return round((len(self.time) - 1) / float(self.time[-1] - self.time[0]), 6)

    def at(self, seconds: float) -> int:
        """Return the row nearest to a time from R."""
        return int(np.argmin(np.abs(self.time - seconds)))

    def rms(self) -> NDArray[np.float64]:
        """Return the field's root mean square over the good channels: (n_times,) T."""
        return np.asarray(np.sqrt(np.mean(self.wave[:, self.good] ** 2, axis=1)))
