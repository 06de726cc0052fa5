"""A simulation that runs: hearts, room and motion make the field; sensors and digitiser make the readings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.digitiser import Digitiser
from zeromag.physics.drift import Residual
from zeromag.physics.noise import NoiseStream
from zeromag.physics.outside import Interference, middle
from zeromag.physics.remnant import Remnant
from zeromag.sensors import SensorArray

if TYPE_CHECKING:
    from zeromag.acquire.simulation import Simulation

# so that no two parts share random numbers
NOISE_SEED, HEART_SEED, ROOM_SEED, ERROR_SEED, FAULT_SEED, OPM_SEED, MOTION_SEED, REMNANT_SEED = range(1, 9)
ROOM_PARTS = ("mains", "drift", "lift", "residual", "background", "railway", "coils", "tram", "remnant", "motor")
STEP = 1e-4  # m and 1e-3 rad: how far the array is moved to find how its readings change


def room_seed(seed: int, part: Interference) -> tuple[int, ...]:
    """Return the seed of one interference: its own, whatever else is switched on."""
    return seed, ROOM_SEED, ROOM_PARTS.index(part.name)


class Fields(NamedTuple):
    """What a scene makes at one stretch of samples."""

    dipoles: NDArray[np.float64]  # (n_dipoles, samples, 3) A·m
    shift: NDArray[np.float64]  # (samples, 3) m, of the hearts in the body
    clean: NDArray[np.float64]  # (samples, n_channels) T, the hearts' field along the ideal sensors
    seen: NDArray[np.float64]  # (samples, n_channels) T, and along the real ones
    interference: dict[str, NDArray[np.float64]]  # (samples, n_channels) T each


class Scene:
    """Hearts, room and motion, started."""

    def __init__(self, simulation: Simulation, length: int) -> None:
        ideal, real = simulation.sensors, simulation.real_array().sensors
        self._length, self._channels = length, len(ideal)
        self._hearts = simulation.beating()
        self._rate, self._sway = simulation.rate, simulation.sway()
        places = [heart.positions for heart in simulation.hearts]
        if self._sway:
            places = [self._sway.places(place) for place in places]
        self._ideal = [_lead(simulation.conductor, place, ideal) for place in places]
        self._real = self._ideal
        if not real.same_as(ideal):
            self._real = [_lead(simulation.conductor, place, real) for place in places]
        self._room = {
            part.name: part.start(real, simulation.rate, room_seed(simulation.seed, part)) for part in simulation.room
        }
        self._moving = None if simulation.motion.still else _Moving(simulation, real)

    def field(self, first: int) -> Fields:
        """Return what there is at the samples from `first` on."""
        moments = [heart.moments(first, self._length) for heart in self._hearts]
        shift = np.zeros((self._length, 3))
        drives = moments
        if self._sway:
            time = (first + np.arange(self._length)) / self._rate
            shift, shares = self._sway.shift(time), self._sway.weights(time)[..., None]
            moments = [self._sway.turned(heart, time) for heart in moments]
            drives = [(shares * heart[:, :, None]).reshape(len(heart), self._length, -1) for heart in moments]
        clean = self._sum(drives, self._ideal)
        seen = clean if self._real is self._ideal else self._sum(drives, self._real)
        interference = {name: part(first, self._length) for name, part in self._room.items()}
        if self._moving:
            interference["motion"] = self._moving.change(first, self._length, moments)
        dipoles = np.concatenate(moments) if moments else np.zeros((0, self._length, 3))
        return Fields(dipoles, shift, clean, seen, interference)

    def _sum(self, drives: list[NDArray[np.float64]], leads: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        total = np.zeros((self._length, self._channels))
        for heart, lead in zip(drives, leads, strict=True):
            for drive, each in zip(heart, lead, strict=True):
                total += drive @ each
        return total


class _Moving:
    """What the motion of the array adds to its readings: first order in the motion, exact in space."""

    def __init__(self, simulation: Simulation, real: SensorArray) -> None:
        first_heart = simulation.beating()[:1]
        peaks = first_heart[0].peaks if first_heart else lambda first, stop: []  # noqa: ARG005 - nobody, no beats
        seed = (simulation.seed, MOTION_SEED)
        self._against_room, self._against_heart = simulation.motion.start(simulation.rate, seed, peaks)
        random = np.random.default_rng(np.random.SeedSequence((*seed, 2)))
        self._loose = 1 + simulation.motion.loose * random.standard_normal((6, len(real)))
        origin = middle(real)
        moved = [(_moved(real, k, 1.0), _moved(real, k, -1.0)) for k in range(6)]
        per_step = 1 / (2 * np.repeat([STEP, 10 * STEP], 3))

        def static(array: SensorArray) -> NDArray[np.float64]:
            total = np.zeros(len(array))
            for part in simulation.room:
                if isinstance(part, Residual | Remnant):
                    vectors = part.vectors(array.positions - origin, room_seed(simulation.seed, part))
                    total += (vectors * array.axes).sum(axis=1)
            return total

        self._room = np.stack([static(up) - static(down) for up, down in moved]) * per_step[:, None] * self._loose
        self._leads = [
            [
                (_lead(simulation.conductor, heart.positions, up) - _lead(simulation.conductor, heart.positions, down))
                * step
                * loose
                for (up, down), step, loose in zip(moved, per_step, self._loose, strict=True)
            ]
            for heart in simulation.hearts
        ]

    def change(self, first: int, samples: int, moments: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return what the readings change by: (samples, n_channels) T."""
        total: NDArray[np.float64] = self._against_room(first, samples) @ self._room
        way = self._against_heart(first, samples)
        for heart, slopes in zip(moments, self._leads, strict=True):
            for k, slope in enumerate(slopes):
                for moment, each in zip(heart, slope, strict=True):
                    total += (way[:, [k]] * moment) @ each
        return total


class Device:
    """The sensors and their digitiser, started."""

    def __init__(self, simulation: Simulation, length: int) -> None:
        sensors, seed = simulation.sensors, simulation.seed
        self._array = simulation.real_array()
        self._perfect = (
            self._array.mixing is None and self._array.offset is None and bool(np.all(self._array.gain == 1))
        )
        self._noise = NoiseStream(simulation.noise, np.ones(len(sensors)), simulation.rate, length, (seed, NOISE_SEED))
        self._follow = simulation.opm and simulation.opm.follow(len(sensors), simulation.rate, (seed, OPM_SEED))
        self._spoil = simulation.faults.start(sensors, simulation.rate, (seed, FAULT_SEED))
        recovery = round(simulation.recovery * simulation.rate)
        self._digitise = Digitiser(sensors.quantum, sensors.limit, recovery)
        self._rezero = simulation.rezero
        self._offset = np.zeros(len(sensors))
        self._length = length

    def read(
        self, first: int, seen: NDArray[np.float64], interference: dict[str, NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the digitised readings: whole counts of each channel's quantum, railed at its limit."""
        total = seen
        for part in interference.values():
            total = total + part
        if not self._perfect:
            total = self._array.read(total)
        if self._follow:
            total = self._follow(total)
        readings = self._noise.chunk(first // self._length)
        readings += total
        self._null(first, total, readings)
        self._spoil(first, readings)
        return self._digitise(readings)

    def _null(self, first: int, total: NDArray[np.float64], readings: NDArray[np.float64]) -> None:
        """Take off what the coils null, which they learn anew at the end of each re-zero."""
        if self._rezero is None:
            return
        row = self._rezero.learnt(first, self._length)
        if row is None:
            readings -= self._offset
            return
        readings[:row] -= self._offset
        self._offset = total[row].copy()
        readings[row:] -= self._offset


def _lead(conductor: Conductor, places: NDArray[np.float64], sensors: SensorArray) -> NDArray[np.float64]:
    """Return what sensors read per moment of each dipole: (n_dipoles, 3, n_channels) T/(A·m).

    Of dipoles at several places each (n_places, n_dipoles, 3) m: (n_dipoles, 3 n_places, n_channels).
    """
    lead = lead_field(conductor, places.reshape(-1, 3), sensors.positions, sensors.axes).transpose(1, 2, 0)
    each = lead.reshape(-1, places.shape[-2], 3, len(sensors)).swapaxes(0, 1)
    return np.ascontiguousarray(each.reshape(places.shape[-2], -1, len(sensors)))


def _moved(sensors: SensorArray, kind: int, sign: float) -> SensorArray:
    """Return the array shifted by STEP along x, y, z (0, 1, 2) or turned by ten of it about them (3, 4, 5)."""
    way = np.zeros(3)
    way[kind % 3] = sign
    if kind < 3:
        return replace(sensors, positions=sensors.positions + STEP * way)
    angle = 10 * STEP
    across = np.cross(np.eye(3), way)  # v @ across = v × axis
    turn = np.eye(3) - np.sin(angle) * across + (1 - np.cos(angle)) * (across @ across)
    origin = middle(sensors)
    return replace(sensors, positions=(sensors.positions - origin) @ turn + origin, axes=sensors.axes @ turn)
