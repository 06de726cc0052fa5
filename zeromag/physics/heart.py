"""A beating heart as one current dipole at a fixed place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.rhythm import Pulse, Pulses, Rhythm
from zeromag.physics.sameni import ADULT, ECTOPIC, FRANK_TO_CHEST, HeartVector

PEAK_SEARCH = 0.06  # s, the maximum of |dipole| lies this close to θ = 0


class Beating(Protocol):
    """A heart that was started: its dipole at any sample, and its R peaks."""

    def moment(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return the dipole: (samples, 3) A·m."""
        ...

    def peaks(self, first: int, stop: int) -> list[tuple[int, str]]:
        """Return (sample, kind) of each R peak, the largest |dipole| of a beat, with first <= sample < stop."""
        ...


class Heart(Protocol):
    """Settings of a heart; `position` is where its dipole sits, in the array's coordinates."""

    @property
    def position(self) -> NDArray[np.float64]:
        """The dipole's place: (3,) m."""
        ...

    def start(self, rate: float, seed: tuple[int, ...]) -> Beating:
        """Return the heart, beating, at `rate` samples per second."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SameniHeart:
    """A heart whose dipole follows a published heart vector.

    At the interval the vector was published for the dipole is its direct sum; at another RR the T wave
    moves and widens with √RR (Bazett), P keeps its shape and moves with RR^¼, QRS stays as it is.
    `t_scale` makes T smaller: the adult table's T/R of 0.57 is more than magnetocardiograms show.
    """

    place: tuple[float, float, float] = (0.01, -0.005, -0.10)  # m
    vector: HeartVector = field(default_factory=lambda: ADULT)
    rhythm: Rhythm = field(default_factory=Rhythm)
    peak: float = 15e-6  # A·m, |dipole| at R
    t_scale: float = 0.6
    turn: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))  # the heart in the body

    @property
    def position(self) -> NDArray[np.float64]:
        """The dipole's place: (3,) m."""
        return np.array(self.place)

    def start(self, rate: float, seed: tuple[int, ...]) -> Beating:
        """Return the heart, beating."""
        return _SameniBeating(self, rate, seed)


Kernels = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class _Waves:
    """The kernels of one kind of beat in seconds, and their part of the dipole."""

    delay: NDArray[np.float64]  # (n,) s from θ = 0
    width: NDArray[np.float64]  # (n,) s
    wave: NDArray[np.int64]  # (n,)
    part: NDArray[np.float64]  # (n, 3) A·m
    rr: float  # s

    def kernels(self, pulse: Pulse) -> Kernels:
        """Return centre (s), width (s) and part (A·m) of the kernels of this beat."""
        stretch = float(np.clip(pulse.rr / self.rr, 0.2, 5.0))
        delay = self.delay * np.choose(self.wave + 1, [stretch**0.25, 1.0, stretch**0.5])
        width = self.width * np.choose(self.wave + 1, [1.0, 1.0, stretch**0.5])
        strength = np.choose(self.wave + 1, [1.0, pulse.strength, pulse.recovery])
        return pulse.time + delay, width, self.part * strength[:, None]


def _waves(heart: SameniHeart, vector: HeartVector) -> _Waves:
    """Return the kernels of a heart vector, scaled so that |dipole| at R is the heart's."""
    height = np.where(vector.wave == 1, heart.t_scale, 1.0) * vector.height
    scaled = HeartVector(vector.axis, vector.phase, height, vector.width, vector.rr)
    around = scaled.at(np.linspace(-0.5, 0.5, 4001))
    part = np.zeros((len(height), 3))
    part[np.arange(len(height)), vector.axis] = height
    part *= FRANK_TO_CHEST * heart.peak / np.linalg.norm(around, axis=1).max()
    per_rad = vector.rr / (2 * np.pi)
    return _Waves(vector.phase * per_rad, vector.width * per_rad, vector.wave, part @ heart.turn.T, vector.rr)


class _SameniBeating:
    """The running heart: only its list of beats grows."""

    def __init__(self, heart: SameniHeart, rate: float, seed: tuple[int, ...]) -> None:
        self._rate = rate
        self._pulses: Pulses = heart.rhythm.start(seed)
        self._waves = {"normal": _waves(heart, heart.vector), "ectopic": _waves(heart, ECTOPIC)}
        self._known: dict[Pulse, Kernels] = {}
        # how far a beat reaches back and forth at the slowest pulse
        reach = 2.3 * 60 / heart.rhythm.rate
        self._back, self._forth = 0.4 * reach + 0.2, reach + 0.6

    def moment(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return the dipole: (samples, 3) A·m."""
        return self._at((first + np.arange(samples)) / self._rate)

    def _at(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dipole at these times (s): (n, 3) A·m."""
        out = np.zeros((len(time), 3))
        for pulse in self._pulses.between(time[0] - self._forth, time[-1] + self._back):
            centre, width, part = self._kernels(pulse)
            near = (centre + 6 * width > time[0]) & (centre - 6 * width < time[-1])
            if near.any():
                away = (time[:, None] - centre[near]) / width[near]
                out += np.exp(-0.5 * away * away) @ part[near]
        return out

    def _kernels(self, pulse: Pulse) -> Kernels:
        """Return the kernels of one beat, those of the latest beats remembered."""
        if pulse not in self._known:
            if len(self._known) > 16:
                self._known.clear()
            self._known[pulse] = self._waves[pulse.kind].kernels(pulse)
        return self._known[pulse]

    def peaks(self, first: int, stop: int) -> list[tuple[int, str]]:
        """Return (sample, kind) of each R peak with first <= sample < stop."""
        found = []
        margin = 4 * PEAK_SEARCH
        for pulse in self._pulses.between(first / self._rate - margin, stop / self._rate + margin):
            span = PEAK_SEARCH if pulse.kind == "normal" else 2 * PEAK_SEARCH
            start = round((pulse.time - span) * self._rate)
            size = np.linalg.norm(self.moment(start, round(2 * span * self._rate) + 1), axis=1)
            sample = start + int(np.argmax(size))
            if first <= sample < stop:
                found.append((sample, pulse.kind))
        return found
