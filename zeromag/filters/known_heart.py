"""A known heart for the meter: a few beats, each at another place of the heart volume, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.frame import array_frame
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

# centre and width (s from R), height: P, Q, R, S, T
WAVES = ((-0.16, 0.02, 0.1), (-0.025, 0.008, -0.1), (0.0, 0.01, 1.0), (0.028, 0.01, -0.2), (0.25, 0.045, 0.3))
DEEPEST = 0.6  # depth over width of an array that still lies on a chest
CLEAR_M = 0.02  # the least between the lowest sensor and the heart
MOMENT = 10e-6  # A·m at R, an adult's


@dataclass(frozen=True, slots=True, eq=False)
class KnownHeart:
    """Beats without noise, and when their R waves are; a second of many channels is made when it is asked for."""

    shapes: NDArray[np.float64]  # (n_waves, n_samples) A·m
    maps: NDArray[np.float64]  # (n_waves, n_channels) T/(A·m)
    r_peaks: NDArray[np.int64]  # (n_beats,) samples

    def part(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the field at these samples, summed in one order whatever else is asked for: (n, n_channels) T."""
        field = np.zeros((len(places), self.maps.shape[1]))
        for shape, seen in zip(self.shapes[:, places], self.maps, strict=True):
            if shape.any():
                field += shape[:, None] * seen
        return field

    @property
    def field(self) -> NDArray[np.float64]:
        """All of it: (n_samples, n_channels) T."""
        return self.part(np.arange(self.shapes.shape[1]))


def heart_below(sensors: SensorArray, volume: HeartVolume) -> bool:
    """Return whether the heart volume can lie below the array: not for a helmet, nor for fewer than three sensors."""
    rows = np.flatnonzero(sensors.located() & np.isin(np.arange(len(sensors)), sensors.of_kind("mag")))
    if len(rows) < 3:
        return False
    some = sensors.pick(rows)
    places = array_frame(some).inside(some.positions)
    width, depth = places[:, :2].std(axis=0).max(), places[:, 2].std()
    return bool(depth < DEEPEST * width and places[:, 2].min() > -volume.nearest + CLEAR_M)


@lru_cache(maxsize=2)
def random_lead_field(
    sensors: SensorArray, conductor: Conductor, volume: HeartVolume, count: int, seed: int = 0
) -> NDArray[np.float64] | None:
    """Return what located sensors read of random tangential 1 A·m dipoles in the volume: (n_channels, count) T.

    Channels without a place read nothing. None if no heart volume can lie below this array.
    Kept, and not to be changed: all that is weighed on an array asks for it.
    """
    if not heart_below(sensors, volume):
        return None
    rows = np.flatnonzero(sensors.located() & np.isin(np.arange(len(sensors)), sensors.of_kind("mag", "ref")))
    rng = np.random.default_rng(seed)
    half = np.array([volume.half_width, volume.half_height, (volume.farthest - volume.nearest) / 2])
    middle = np.array([0.0, 0.0, -(volume.farthest + volume.nearest) / 2])
    places = middle + half * rng.uniform(-1, 1, size=(count, 3))
    turn = rng.uniform(0, 2 * np.pi, size=count)
    moments = np.stack([np.cos(turn), np.sin(turn), np.zeros(count)], axis=1)
    seen = np.zeros((len(sensors), count))
    some = sensors.pick(rows)
    frame = array_frame(some)
    try:
        lead = lead_field(conductor, places, frame.inside(some.positions), frame.turned(some.axes))
    except ValueError:  # a reference beside or below the heart
        return None
    seen[rows] = (lead * moments).sum(axis=2)
    seen.setflags(write=False)
    return seen


def heart_size(sensors: SensorArray) -> float | None:
    """Return the median rms over the good `mag` channels of a map at R: T; None if no heart lies below the array."""
    mag = sensors.of_kind("mag")
    mag = mag[sensors.usable()[mag]]
    heart = random_lead_field(sensors, HalfSpace(), HeartVolume(), 200)
    return None if heart is None or not len(mag) else MOMENT * float(np.median(np.sqrt((heart[mag] ** 2).mean(axis=0))))


def known_heart(
    sensors: SensorArray, rate: float, seconds: float, conductor: Conductor, volume: HeartVolume
) -> KnownHeart:
    """Return one beat a second for so long; P, QRS and T of a beat lie at one place but point in three directions.

    Where no heart can lie below the array, every `mag` channel reads it with a random size.
    """
    beats = max(1, int(seconds) - 1)
    maps = random_lead_field(sensors, conductor, volume, 3 * beats)
    if maps is None:
        maps = np.zeros((len(sensors), 3 * beats))
        mag = sensors.of_kind("mag")
        maps[mag] = np.random.default_rng(0).normal(scale=5e-6, size=(len(mag), 3 * beats))
    at = 1.0 + np.arange(beats) - 0.4
    shapes = np.zeros((3 * beats, round(seconds * rate)))
    time = np.arange(shapes.shape[1]) / rate
    for beat, r in enumerate(at):
        for wave, (centre, width, height) in enumerate(WAVES):
            part = slice(max(0, int((r + centre - 6 * width) * rate)), int((r + centre + 6 * width) * rate) + 1)
            direction = 0 if wave == 0 else 2 if wave == len(WAVES) - 1 else 1
            shape = np.exp(-0.5 * ((time[part] - r - centre) / width) ** 2)
            shapes[3 * beat + direction, part] += MOMENT * height * shape
    return KnownHeart(shapes, np.ascontiguousarray(maps.T), np.round(at * rate).astype(np.int64))
