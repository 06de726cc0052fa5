"""An averaged beat as activity on a grid through the heart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.distributed import Method, inverse
from zeromag.mapping.source_gain import SourceGain
from zeromag.physics.heart_volume import HeartVolume

UNITS: dict[Method, str] = {"minimum-norm": "A·m", "sloreta": "1", "lcmv": "1"}


@dataclass(frozen=True, slots=True, eq=False)
class SourceImage:
    """Sources over a beat, in the array's own frame: x to the patient's left, y to the head, z out of the chest."""

    method: Method
    places: F64  # (n_places, 3) m
    time: F64  # (n_times,) s from R
    moments: F64  # (n_times, n_places, 3) A·m
    strength: F64  # (n_times, n_places) in `unit`

    @property
    def unit(self) -> str:
        """Unit of the strength; sLORETA's and the beamformer's have none."""
        return UNITS[self.method]

    def peak(self, row: int) -> F64:
        """Return the strongest place at a row: (3,) m."""
        return np.asarray(self.places[int(np.argmax(self.strength[row]))])


@dataclass(frozen=True, slots=True)
class Imaging:
    """Settings of distributed sources."""

    method: Method = "sloreta"
    volume: HeartVolume = field(default_factory=lambda: HeartVolume(0.06, 0.07, 0.06, 0.14, 0.015))
    step: float = 0.002  # s between the rows of an averaged beat

    def of(self, average: Average, gains: SourceGain) -> SourceImage:
        """Return the sources over an averaged beat, `gains` being those of its channels in their conductor."""
        places = gains.inside(self.volume.points())
        basis = gains.basis(places)
        gain = np.einsum("csx,sxk->csk", gains(places), basis)
        white = gains.white(average.wave)
        every = max(1, round(self.step / (average.time[1] - average.time[0])))
        rows = np.arange(average.at(0.0) % every, len(average.time), every)
        way = inverse(self.method, gain, white)
        moments = way.moments(white[rows])
        return SourceImage(
            method=self.method,
            places=places,
            time=average.time[rows],
            moments=np.einsum("tsk,sxk->tsx", moments, basis),
            strength=way.strength(moments),
        )
