"""The simulated source: hearts in a conductor, a room around them, sensors that digitise; seeded to the bit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.drift import Residual
from zeromag.physics.faults import Faults
from zeromag.physics.heart import Beating, Heart
from zeromag.physics.noise import NoiseStream, SensorNoise
from zeromag.physics.opm import Opm
from zeromag.physics.outside import Interference
from zeromag.physics.sensor_errors import RealArray, SensorErrors
from zeromag.sensors import SensorArray

CHUNK_S = 0.128  # s, about what is made at once; the noise windows are 32 chunks long
# so that no two parts share random numbers
NOISE_SEED, HEART_SEED, ROOM_SEED, ERROR_SEED, FAULT_SEED, OPM_SEED = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What was simulated at one stretch of samples, part by part; `data` is what the device hands over."""

    first: int
    data: NDArray[np.float64]  # (samples, n_channels) T, digitised
    dipoles: NDArray[np.float64]  # (n_hearts, samples, 3) A·m
    clean: NDArray[np.float64]  # (samples, n_channels) T, hearts only, ideal sensors
    interference: dict[str, NDArray[np.float64]]  # (samples, n_channels) T each, along the real axes, before gains


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Settings of one simulated recording; `blocks()` gives the same samples each time it is called.

    Everything is made in chunks at fixed sample positions and then cut into blocks, so that the block size
    changes nothing. `seconds` may be infinite.
    """

    spec: str  # what it was built from
    sensors: SensorArray  # with quantum and limit of the digitiser
    rate: float  # Hz
    seconds: float
    seed: int
    block: int  # samples per block
    hearts: tuple[Heart, ...]
    conductor: Conductor
    noise: SensorNoise
    room: tuple[Interference, ...]
    errors: SensorErrors = field(default_factory=SensorErrors)
    opm: Opm | None = None  # None: an ideal sensor of endless bandwidth
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not 1 <= self.rate <= 1e6:
            raise ValueError(f"rate must be 1 Hz to 1 MHz, got {self.rate:g}")
        if not self.seconds * self.rate >= 1:
            raise ValueError(f"a simulation needs at least one sample, got {self.seconds:g} s at {self.rate:g} Hz")
        if self.block < 1:
            raise ValueError(f"a block holds at least 1 sample, got {self.block}")
        if self.seed < 0:
            raise ValueError(f"a seed is 0 or more, got {self.seed}")
        self.faults.check(self.sensors)

    @property
    def samples(self) -> int | None:
        """How many samples there are; None when it never ends."""
        return None if np.isinf(self.seconds) else round(self.seconds * self.rate)

    def blocks(self) -> Generator[Block, None, None]:
        """Give the recording block by block, as fast as it is asked for."""
        rest: list[NDArray[np.float64]] = []
        waiting, first = 0, 0
        for chunk in self.chunks():
            rest.append(chunk.data)
            waiting += len(chunk.data)
            if waiting < self.block:
                continue
            rows = rest[0] if len(rest) == 1 else np.concatenate(rest)
            for start in range(0, waiting - self.block + 1, self.block):
                yield self._block(rows[start : start + self.block], first)
                first += self.block
            waiting %= self.block
            rest = [rows[len(rows) - waiting :]] if waiting else []
        if waiting:
            yield self._block(np.concatenate(rest), first)

    def _block(self, rows: NDArray[np.float64], first: int) -> Block:
        return Block(data=rows, first=first, rate=self.rate, sensors=self.sensors)

    def chunks(self) -> Generator[Chunk, None, None]:
        """Give the recording with its ground truth, chunk by chunk."""
        length = max(1, 2 ** round(np.log2(self.rate * CHUNK_S)))
        total = self.samples
        scene, device = _Scene(self, length), _Device(self, length)
        first = 0
        while total is None or first < total:
            dipoles, clean, seen = scene.hearts(first)
            interference = scene.interference(first)
            data = device.read(first, seen, interference)
            keep = length if total is None else min(length, total - first)
            yield Chunk(
                first=first,
                data=data[:keep],
                dipoles=dipoles[:, :keep],
                clean=clean[:keep],
                interference={name: part[:keep] for name, part in interference.items()},
            )
            first += length

    def real_array(self) -> RealArray:
        """Return the array as built, residual field and all."""
        array = self.errors.draw(self.sensors, (self.seed, ERROR_SEED))
        if self.opm is None:
            return array
        bias = np.zeros((len(self.sensors), 3))
        for k, part in enumerate(self.room):
            if isinstance(part, Residual):
                bias += part.vectors(array.sensors, (self.seed, ROOM_SEED, k))
        return self.opm.biased(array, bias)

    def beating(self) -> list[Beating]:
        """Return the hearts, started: their dipoles and R peaks at any sample."""
        return [heart.start(self.rate, (self.seed, HEART_SEED, k)) for k, heart in enumerate(self.hearts)]


class _Scene:
    """Hearts and room, started."""

    def __init__(self, simulation: Simulation, length: int) -> None:
        ideal, real = simulation.sensors, simulation.real_array().sensors
        self._length = length
        self._hearts = simulation.beating()
        self._ideal = [_lead(simulation.conductor, heart, ideal) for heart in simulation.hearts]
        self._real = self._ideal
        if not real.same_as(ideal):
            self._real = [_lead(simulation.conductor, heart, real) for heart in simulation.hearts]
        self._room = {
            part.name: part.start(real, simulation.rate, (simulation.seed, ROOM_SEED, k))
            for k, part in enumerate(simulation.room)
        }
        self._channels = len(ideal)

    def hearts(self, first: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the dipoles, what ideal sensors read of them and what the real ones do."""
        moments = [heart.moment(first, self._length) for heart in self._hearts]
        clean = self._sum(moments, self._ideal)
        seen = clean if self._real is self._ideal else self._sum(moments, self._real)
        return np.array(moments).reshape(len(moments), self._length, 3), clean, seen

    def _sum(self, moments: list[NDArray[np.float64]], leads: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        total = np.zeros((self._length, self._channels))
        for moment, lead in zip(moments, leads, strict=True):
            total += moment @ lead
        return total

    def interference(self, first: int) -> dict[str, NDArray[np.float64]]:
        """Return each interference along the real axes."""
        return {name: part(first, self._length) for name, part in self._room.items()}


class _Device:
    """The sensors and their digitiser, started."""

    def __init__(self, simulation: Simulation, length: int) -> None:
        sensors, seed = simulation.sensors, simulation.seed
        self._array = simulation.real_array()
        self._perfect = self._array.mixing is None and bool(np.all(self._array.gain == 1))
        self._noise = NoiseStream(simulation.noise, np.ones(len(sensors)), simulation.rate, length, (seed, NOISE_SEED))
        self._follow = simulation.opm and simulation.opm.follow(len(sensors), simulation.rate, (seed, OPM_SEED))
        self._spoil = simulation.faults.start(sensors, simulation.rate, (seed, FAULT_SEED))
        self._quantum = sensors.quantum
        self._most = np.rint(sensors.limit / sensors.quantum)
        self._length = length

    def read(
        self, first: int, seen: NDArray[np.float64], interference: dict[str, NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the digitised readings: whole counts of each channel's quantum, railed at its limit."""
        noise = self._noise.chunk(first // self._length)
        total = seen
        for part in interference.values():
            total = total + part
        if not self._perfect:
            total = self._array.read(total)
        if self._follow:
            total = self._follow(total)
        noise += total
        self._spoil(first, noise)
        counts = np.rint(noise / self._quantum)
        np.clip(counts, -self._most, self._most, out=counts)
        counts *= self._quantum
        return counts


def _lead(conductor: Conductor, heart: Heart, sensors: SensorArray) -> NDArray[np.float64]:
    """Return what sensors read per dipole moment of this heart: (3, n_channels) T/(A·m)."""
    lead: NDArray[np.float64] = lead_field(conductor, heart.position[None], sensors.positions, sensors.axes)[:, 0].T
    return lead
