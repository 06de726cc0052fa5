"""The simulated source: hearts in a conductor, a room around them, sensors that digitise; seeded to the bit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.counts import counted
from zeromag.acquire.rezero import Rezero
from zeromag.acquire.scene import ERROR_SEED, HEART_SEED, MOTION_SEED, OPM_SEED, Device, Scene, room_seed
from zeromag.block import Block
from zeromag.physics.background import Background
from zeromag.physics.conductor import Conductor
from zeromag.physics.drift import Residual
from zeromag.physics.faults import Faults
from zeromag.physics.heart import Beating, Heart
from zeromag.physics.motion import Motion
from zeromag.physics.noise import SensorNoise
from zeromag.physics.opm import Opm
from zeromag.physics.outside import Interference, middle
from zeromag.physics.remnant import Remnant
from zeromag.physics.sensor_errors import RealArray, SensorErrors
from zeromag.physics.sway import Sway
from zeromag.sensors import SensorArray

LONGEST = 4096  # samples; above 32 kHz chunks are shorter than CHUNK_S, or a start would take minutes
CHUNK_S = 0.128  # s, about what is made at once; the noise windows are 34 chunks long


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What was simulated at one stretch of samples, part by part; `data` is what the device hands over."""

    first: int
    data: NDArray[np.float64]  # (samples, n_channels) T, digitised
    dipoles: NDArray[np.float64]  # (n_dipoles, samples, 3) A·m, those of the first heart first
    shift: NDArray[np.float64]  # (samples, 3) m, how far the hearts have moved in the body
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
    motion: Motion = field(default_factory=Motion)
    errors: SensorErrors = field(default_factory=SensorErrors)
    opm: Opm | None = None  # None: an ideal sensor of endless bandwidth
    faults: Faults = field(default_factory=Faults)
    recovery: float = 0.0  # s that a railed sensor stays railed
    rezero: Rezero | None = None
    settings: dict[str, float | int | str] = field(default_factory=dict)  # every key with its value

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
        waiting = first = 0
        for start, run in self._runs():
            if start != first + waiting:  # samples are missing: what is waiting goes out as it is
                if waiting:
                    yield self._block(np.concatenate(rest), first)
                rest, waiting, first = [], 0, start
            rest.append(run)
            waiting += len(run)
            if waiting < self.block:
                continue
            rows = rest[0] if len(rest) == 1 else np.concatenate(rest)
            waiting %= self.block
            whole = self._block(rows[: len(rows) - waiting], first)
            for row in range(0, len(whole), self.block):
                yield whole.part(row, row + self.block)
            first = whole.stop
            rest = [rows[len(rows) - waiting :]] if waiting else []
        if waiting:
            yield self._block(np.concatenate(rest), first)

    def _runs(self) -> Generator[tuple[int, NDArray[np.float64]], None, None]:
        """Give the first sample and the rows of each stretch that was not lost."""
        for chunk in self.chunks():
            if self.rezero is None:
                yield chunk.first, chunk.data
                continue
            for start, stop in self.rezero.runs(chunk.first, len(chunk.data)):
                yield chunk.first + start, chunk.data[start:stop]

    def _block(self, rows: NDArray[np.float64], first: int) -> Block:
        return counted(Block(data=rows, first=first, rate=self.rate, sensors=self.sensors))

    def chunks(self) -> Generator[Chunk, None, None]:
        """Give the recording with its ground truth, chunk by chunk."""
        length = min(LONGEST, max(1, 2 ** round(np.log2(self.rate * CHUNK_S))))
        total = self.samples
        scene, device = Scene(self, length), Device(self, length)
        first = 0
        while total is None or first < total:
            now = scene.field(first)
            data = device.read(first, now.seen, now.interference)
            keep = length if total is None else min(length, total - first)
            yield Chunk(
                first=first,
                data=data[:keep],
                dipoles=now.dipoles[:, :keep],
                shift=now.shift[:keep],
                clean=now.clean[:keep],
                interference={name: part[:keep] for name, part in now.interference.items()},
            )
            first += length

    def real_array(self) -> RealArray:
        """Return the array as built, residual field and all."""
        array = self.errors.draw(self.sensors, (self.seed, ERROR_SEED))
        if self.opm is None:
            return array
        bias = np.zeros((len(self.sensors), 3))
        for part in self.room:
            if isinstance(part, Residual | Remnant):
                away = array.sensors.positions - middle(array.sensors)
                bias += part.vectors(away, room_seed(self.seed, part))
        return self.opm.biased(array, bias)

    def density(self, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density of the noise: the sensors' own and the background as they read it.

        `frequency` (n,) above 0 Hz; the answer is (n, n_channels) T/√Hz. Faults and rounding are left out.
        """
        array, channels = self.real_array(), len(self.sensors)
        power = np.repeat(self.noise.density(frequency)[:, None] ** 2, channels, axis=1)
        for part in self.room:
            if isinstance(part, Background):
                seen = array.read(part.weights(array.sensors)) - array.read(np.zeros(channels))
                outside = np.sum(seen**2, axis=0) * part.density(frequency)[:, None] ** 2
                if self.opm:
                    outside *= np.abs(self.opm.response(frequency, channels, self.rate, (self.seed, OPM_SEED))) ** 2
                power += outside
        density: NDArray[np.float64] = np.sqrt(power)
        return density

    def sway(self) -> Sway | None:
        """Return how the hearts move in the body; None when they stay."""
        return self.motion.sway((self.seed, MOTION_SEED))

    def beating(self) -> list[Beating]:
        """Return the hearts, started: their dipoles and R peaks at any sample."""
        return [heart.start(self.rate, (self.seed, HEART_SEED, k)) for k, heart in enumerate(self.hearts)]
