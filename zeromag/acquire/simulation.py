"""The simulated source: hearts in a conductor, a room around them, sensors that digitise; seeded to the bit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.heart import Beating, Heart
from zeromag.physics.noise import NoiseStream, SensorNoise
from zeromag.physics.outside import Interference
from zeromag.sensors import SensorArray

CHUNK_S = 0.128  # s, about what is made at once; the noise windows are 32 chunks long
NOISE_SEED, HEART_SEED, ROOM_SEED = 1, 2, 3  # so that no two parts share random numbers


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What was simulated at one stretch of samples, part by part; `data` is what the device hands over."""

    first: int
    data: NDArray[np.float64]  # (samples, n_channels) T, digitised
    dipoles: NDArray[np.float64]  # (n_hearts, samples, 3) A·m
    clean: NDArray[np.float64]  # (samples, n_channels) T, hearts only, ideal sensors
    interference: dict[str, NDArray[np.float64]]  # (samples, n_channels) T each


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

    def __post_init__(self) -> None:
        if not 1 <= self.rate <= 1e6:
            raise ValueError(f"rate must be 1 Hz to 1 MHz, got {self.rate:g}")
        if not self.seconds * self.rate >= 1:
            raise ValueError(f"a simulation needs at least one sample, got {self.seconds:g} s at {self.rate:g} Hz")
        if self.block < 1:
            raise ValueError(f"a block holds at least 1 sample, got {self.block}")
        if self.seed < 0:
            raise ValueError(f"a seed is 0 or more, got {self.seed}")

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
        hearts = self.beating()
        leads = [self._lead(heart) for heart in self.hearts]
        room = {
            part.name: part.start(self.sensors, self.rate, (self.seed, ROOM_SEED, k))
            for k, part in enumerate(self.room)
        }
        noise = NoiseStream(self.noise, np.ones(len(self.sensors)), self.rate, length, (self.seed, NOISE_SEED))
        first = index = 0
        while total is None or first < total:
            dipoles = (
                np.stack([heart.moment(first, length) for heart in hearts]) if hearts else np.zeros((0, length, 3))
            )
            clean = np.zeros((length, len(self.sensors)))
            for moment, lead in zip(dipoles, leads, strict=True):
                clean += moment @ lead
            interference = {name: field(first, length) for name, field in room.items()}
            field = noise.chunk(index) + clean
            for part in interference.values():
                field += part
            keep = length if total is None else min(length, total - first)
            yield Chunk(
                first=first,
                data=self._digitise(field)[:keep],
                dipoles=dipoles[:, :keep],
                clean=clean[:keep],
                interference={name: part[:keep] for name, part in interference.items()},
            )
            first, index = first + length, index + 1

    def beating(self) -> list[Beating]:
        """Return the hearts, started: their dipoles and R peaks at any sample."""
        return [heart.start(self.rate, (self.seed, HEART_SEED, k)) for k, heart in enumerate(self.hearts)]

    def _lead(self, heart: Heart) -> NDArray[np.float64]:
        """Return what the ideal sensors read per dipole moment of this heart: (3, n_channels) T/(A·m)."""
        sensors = self.sensors
        return lead_field(self.conductor, heart.position[None], sensors.positions, sensors.axes)[:, 0].T

    def _digitise(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the field as whole counts of each channel's quantum, railed at its limit."""
        quantum, limit = self.sensors.quantum, self.sensors.limit
        counts = np.rint(field / quantum)
        most = np.rint(limit / quantum)
        np.clip(counts, -most, most, out=counts)
        counts *= quantum
        return counts
