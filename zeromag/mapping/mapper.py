"""From what the sensors read to the field over the chest: settings, cached operators, live and averaged maps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.live_map import LiveMap
from zeromag.mapping.map_geometry import geometry, mappable
from zeromag.mapping.map_grid import map_grid, pitch
from zeromag.mapping.map_operator import MapOperator
from zeromag.physics.conductor import Conductor
from zeromag.physics.frame import Frame
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

FEWEST = 4  # good channels with a place that a map can be made of
CACHED = 8  # operators kept for one array: channels come and go
FLAT = 0.5  # of the second spread of the positions, above which the array is no plane


@dataclass(frozen=True, slots=True)
class Mapper:
    """Settings of the field map.

    Minimum norm ŷ_g = L_g L_sᵀ (L_s L_sᵀ + C)⁻¹ y (Numminen et al. 1995): a Gaussian process of hearts, whose
    prior is a volume full of dipoles as strong as gives `signal` at the sensors. The volume is wider than a
    heart, since the array is not always over the middle of it. Slopes come from the lead field too, so that
    the pseudo-current ∂Bz/∂y, −∂Bz/∂x (Hosaka and Cohen 1976) needs no differences between pixels.
    """

    pixels: int = 64
    conductor: Conductor = field(default_factory=HalfSpace)
    volume: HeartVolume = field(default_factory=lambda: HeartVolume(0.05, 0.06, 0.07, 0.13))
    step: float = 0.002  # s between the maps of an averaged beat
    signal: float = 10e-12  # T, root mean square over the sensors that is expected of a live heart
    noise: float = 0.3e-12  # T, of a live sample: 15 fT/√Hz over 100 Hz, and what cleaning leaves
    trust: float = 0.003  # share of the field that gains and positions leave in doubt at best
    plane: Frame | None = None  # the frame the map lies in, z = 0; None: the array's own
    reach: float = 0.0  # m from the middle of the plane to the map's edges; 0: as far as the array reaches

    def __post_init__(self) -> None:
        if not 8 <= self.pixels <= 512:
            raise ValueError(f"a map has 8 to 512 pixels a side, got {self.pixels}")
        if self.reach < 0 or (self.reach > 0 and self.plane is None):
            raise ValueError(f"a reach of 0 m or more goes with a plane of its own, got {self.reach}")
        if not self.step > 0:
            raise ValueError(f"the step between maps must be above 0 s, got {self.step}")
        if not (self.signal > 0 and self.noise > 0):
            raise ValueError(f"signal and noise must be above 0 T, got {self.signal} and {self.noise}")

    def why_not(self, sensors: SensorArray, good: BOOL | None = None) -> str:
        """Return one sentence on why these channels give no map; empty when they do."""
        keep = mappable(sensors) if good is None else mappable(sensors) & good
        if (count := int(keep.sum())) < FEWEST:
            return f"a map needs {FEWEST} good magnetometers with positions, and there are {count}"
        places = sensors.positions[keep]
        spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
        if spread[1] < 0.01:
            return "a map needs sensors spread over a surface, and these lie on one line"
        if spread[2] > FLAT * spread[1]:
            return "a map needs a flat or gently curved array, and this one is as deep as it is wide (a helmet?)"
        return ""

    def of(self, sensors: SensorArray) -> ArrayMap:
        """Return the mapping of this array, with everything that does not depend on which channels are good.

        Raises
        ------
        ValueError
            If the array cannot give a map; `why_not` tells beforehand.
        """
        return ArrayMap(self, sensors)

    def operator(self, sensors: SensorArray, good: BOOL, noise: F64) -> MapOperator:
        """Return the operator of some good channels (n,) with their noise (n,) T."""
        return self.of(sensors).operator(good, noise)

    def start(self, head: Block) -> LiveMap:
        """Return the live map of the stream that begins with `head`."""
        return LiveMap(self, head)

    def map_average(self, average: Average) -> FieldMap:
        """Return the maps over an averaged beat, every `step` through R.

        Raises
        ------
        ValueError
            If the array carries no map; one sentence.
        """
        operator = self.operator_for(average)
        every = max(1, round(self.step / (average.time[1] - average.time[0])))
        rows = np.arange(average.at(0.0) % every, len(average.time), every)
        return operator(average.time[rows], average.wave[rows])

    def operator_for(self, average: Average) -> MapOperator:
        """Return the operator of an average: its good channels, its noise, the prior as strong as its R.

        Raises
        ------
        ValueError
            If the array carries no map; one sentence.
        """
        if why := self.why_not(average.sensors, average.good):
            raise ValueError(why)
        power = float(np.mean(average.wave[:, average.good] ** 2, axis=1).max())
        settings = replace(self, signal=float(np.sqrt(power)) or self.signal)
        return settings.operator(average.sensors, average.good, average.noise)


class ArrayMap:
    """One array's lead fields onto the grid, and the newest operators."""

    def __init__(self, settings: Mapper, sensors: SensorArray) -> None:
        if why := settings.why_not(sensors):
            raise ValueError(why)
        self.settings, self.sensors = settings, sensors
        self.usable: BOOL = mappable(sensors)
        self._operators: dict[tuple[bytes, bytes], MapOperator] = {}
        self._geometry = geometry(
            settings.conductor, settings.volume, settings.pixels, sensors, settings.plane, settings.reach
        )
        # the strength that gives `signal` at the sensors, T² per (T/(A·m))²
        self._strength = settings.signal**2 / float(np.mean(np.diag(self._geometry.between)))

    def operator(self, good: BOOL, noise: F64) -> MapOperator:
        """Return the operator of the channels that are good (n,), with noise (n,) T; kept for the next call.

        Raises
        ------
        ValueError
            If too few of them are good.
        """
        good = np.logical_and(good, self.usable)
        key = _key(good, noise)
        if key not in self._operators:
            if len(self._operators) >= CACHED:
                self._operators.pop(next(iter(self._operators)))
            self._operators[key] = self._make(good, noise)
        return self._operators[key]

    def has(self, good: BOOL, noise: F64) -> bool:
        """Return whether the operator of these channels is made already."""
        return _key(np.logical_and(good, self.usable), noise) in self._operators

    def _make(self, good: BOOL, noise: F64) -> MapOperator:
        if why := self.settings.why_not(self.sensors, good):
            raise ValueError(why)
        take, places = good[self.usable], self._geometry.places
        doubt = noise[good] ** 2 + (self.settings.trust * self.settings.signal) ** 2
        made = self._geometry.weights(take, doubt, self._strength)
        return MapOperator(
            grid=map_grid(places, places[take], self.settings.pixels, self.settings.reach),
            good=good,
            value=made.value,
            dx=made.dx,
            dy=made.dy,
            sd=np.sqrt(np.maximum(made.variance, 0.0)),
            margin=pitch(places) / 2,
            inverse=made.inverse,
            moments=made.moments,
        )


def map_average(average: Average) -> FieldMap:
    """Return the maps over an averaged beat with the default settings."""
    return Mapper().map_average(average)


def _key(good: BOOL, noise: F64) -> tuple[bytes, bytes]:
    """Return what an operator is known by."""
    return good.tobytes(), np.where(good, noise, 0.0).tobytes()
