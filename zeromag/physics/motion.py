"""The array moves: a trembling floor, breathing, and the chest that recoils with each beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.noise import NoiseStream
from zeromag.physics.sway import Sway
from zeromag.physics.wander import wander

MotionStream = Callable[[int, int], NDArray[np.float64]]

RECOIL_DELAY, RECOIL_TAU, RECOIL_HZ = 0.1, 0.12, 6.0  # s after R, s, Hz: ballistocardiographic, 80-150 ms, 4-8 Hz
RECOIL_WAY = np.array([0.0, 0.4, 1.0, 0.4, 0.0, 0.0])  # mostly out of the chest, with a nod; rad per metre for turns
BREATH_HZ = 0.2, 0.3
BREATH_WAY = np.array([0.0, 0.3, 1.0, 1.5, 0.3, 0.0])


@dataclass(frozen=True, slots=True)
class _Resonances:
    """Density (m/√Hz) of a building's resonances, of unit rms together."""

    lines: tuple[tuple[float, float], ...] = ((6.5, 0.8), (11.0, 0.5), (17.0, 0.33))  # Hz, share

    def density(self, frequency: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return √Σ share² · Lorentzian of 1 Hz width at half power."""
        f = np.asarray(frequency, dtype=np.float64)
        power = np.zeros_like(f)
        for line, share in self.lines:
            power += share**2 / (np.pi * 0.5 * (1 + ((f - line) / 0.5) ** 2))
        return np.sqrt(power)


@dataclass(frozen=True, slots=True)
class Motion:
    """Settings of a rigid motion of the array against the room, and a looser one of each sensor.

    Where the residual field is B0 and its gradient G, a sensor at r that points along n reads
    δB = n·G δr + B0·(δφ×n); over the heart it reads another point of its field as well.
    """

    tremble: float = 0.0  # m rms, 6 to 17 Hz, each direction; turns: 10 rad per metre of it
    breath: float = 0.0  # m amplitude, 0.2 to 0.3 Hz
    recoil: float = 0.0  # m, first swing after each beat
    loose: float = 0.0  # relative spread of how far single sensors move
    with_chest: float = 0.7  # part of breath and recoil that the heart shares with the array
    heart: float = 0.0  # m amplitude, how far each breath takes the heart to the feet, in the body

    def __post_init__(self) -> None:
        values = (self.tremble, self.breath, self.recoil, self.heart, self.loose)
        if not (all(0 <= value < np.inf for value in values) and max(values[:4]) <= 0.02 and self.loose <= 1):
            raise ValueError(f"motion must be 0 to 20 mm and looseness 0 to 1, got {self}")

    @property
    def still(self) -> bool:
        """Whether the array does not move."""
        return not (self.tremble or self.breath or self.recoil)

    def sway(self, seed: tuple[int, ...]) -> Sway | None:
        """Return how the heart moves in the body, in time with the chest's breathing; None when it stays."""
        if not self.heart:
            return None
        random = np.random.default_rng(np.random.SeedSequence(seed))
        return Sway(wander(1 / np.sqrt(2), *BREATH_HZ, random=random), self.heart)

    def start(
        self, rate: float, seed: tuple[int, ...], peaks: Callable[[int, int], list[tuple[int, str]]]
    ) -> tuple[MotionStream, MotionStream]:
        """Return the motion against the room and that against the heart, each (samples, 6) m and rad.

        Both are asked for in chunks of one length, in order. `peaks` gives the heart's R peaks.
        """
        random = np.random.default_rng(np.random.SeedSequence(seed))
        breathing = wander(self.breath / np.sqrt(2), *BREATH_HZ, random=random)
        scale = self.tremble * np.array([1.0, 1.0, 1.0, 10.0, 10.0, 10.0])
        streams: list[NoiseStream] = []

        def shaking(first: int, samples: int) -> NDArray[np.float64]:
            if not self.tremble:
                return np.zeros((samples, 6))
            if not streams:
                streams.append(NoiseStream(_Resonances(), scale, rate, samples, (*seed, 1)))
            return streams[0].chunk(first // samples)

        def chest(first: int, samples: int) -> NDArray[np.float64]:
            time = (first + np.arange(samples)) / rate
            out: NDArray[np.float64] = breathing.at(time) * BREATH_WAY
            if self.recoil:
                out = out + self._recoils(time, [p for p, _ in peaks(first - round(1.5 * rate), first + samples)], rate)
            return out

        latest: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

        def parts(first: int, samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            if first not in latest:
                latest.clear()
                latest[first] = shaking(first, samples), chest(first, samples)
            return latest[first]

        def against_room(first: int, samples: int) -> NDArray[np.float64]:
            tremble, body = parts(first, samples)
            return tremble + body

        def against_heart(first: int, samples: int) -> NDArray[np.float64]:
            tremble, body = parts(first, samples)
            return tremble + (1 - self.with_chest) * body

        return against_room, against_heart

    def _recoils(self, time: NDArray[np.float64], peaks: list[int], rate: float) -> NDArray[np.float64]:
        """Return the damped swings after these beats: (samples, 6)."""
        swing = np.zeros(len(time))
        for peak in peaks:
            since = np.maximum(time - peak / rate - RECOIL_DELAY, 0)
            swing += np.exp(-since / RECOIL_TAU) * np.sin(2 * np.pi * RECOIL_HZ * since)
        out: NDArray[np.float64] = self.recoil * swing[:, None] * RECOIL_WAY
        return out
