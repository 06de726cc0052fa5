"""A beating heart: one current dipole at a fixed place, or a few that are excited one after the other."""

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

    def moments(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return the dipoles: (n_dipoles, samples, 3) A·m."""
        ...

    def peaks(self, first: int, stop: int) -> list[tuple[int, str]]:
        """Return (sample, kind) of each R peak, the largest |Σ dipoles| of a beat, with first <= sample < stop."""
        ...

    def fiducials(self, first: int, stop: int) -> NDArray[np.float64]:
        """Return P on, P off, QRS on, QRS off, T peak, T end of each such beat: (n_beats, 6) samples, NaN unknown."""
        ...


class Heart(Protocol):
    """Settings of a heart; `positions` is where its dipoles sit, in the array's coordinates."""

    @property
    def positions(self) -> NDArray[np.float64]:
        """The dipoles' places: (n_dipoles, 3) m."""
        ...

    def start(self, rate: float, seed: tuple[int, ...]) -> Beating:
        """Return the heart, beating, at `rate` samples per second."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """One of a heart's dipoles: where from its place, how late, and its share of the whole moment."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # m
    delay: float = 0.0  # s
    share: float = 1.0


def spread_sites(extent: float) -> tuple[Site, ...]:
    """Return septum, apex and side wall, `extent` (m) apart, excited 8 ms one after the other."""
    return (
        Site((-0.5 * extent, 0.3 * extent, 0.2 * extent), -0.008, 1 / 3),
        Site((0.2 * extent, -0.6 * extent, 0.3 * extent), 0.0, 1 / 3),
        Site((0.6 * extent, 0.2 * extent, -0.4 * extent), 0.008, 1 / 3),
    )


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
    t_turn: float = 0.0  # rad, the T wave's direction turned in the frontal plane, towards the head
    st_level: float = 0.0  # of R, the ST segment's shift against the R vector
    qrs_stretch: float = 1.0  # how much longer QRS lasts than in the table
    pr_shift: float = 0.0  # s, how much earlier P comes
    t_shift: float = 0.0  # s, how much later T comes
    turn: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))  # the heart in the body
    sites: tuple[Site, ...] = (Site(),)

    @property
    def positions(self) -> NDArray[np.float64]:
        """The dipoles' places: (n_dipoles, 3) m."""
        return np.array([np.add(self.place, site.shift) for site in self.sites])

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
    qrs_stretch: float

    def kernels(self, pulse: Pulse) -> Kernels:
        """Return centre (s), width (s) and part (A·m) of the kernels of this beat."""
        stretch = float(np.clip(pulse.rr / self.rr, 0.2, 5.0))
        delay = self.delay * np.choose(self.wave + 1, [stretch**0.25, 1.0, stretch**0.5])
        width = self.width * np.choose(self.wave + 1, [1.0, 1.0, stretch**0.5])
        strength = np.choose(self.wave + 1, [1.0, pulse.strength, pulse.recovery])
        return pulse.time + delay, width, self.part * strength[:, None]

    def fiducials(self, kernels: Kernels) -> NDArray[np.float64]:
        """Return P on, P off, QRS on, QRS off, T peak, T end of one beat (s), NaN where there is no such wave."""
        centre, width, part = kernels
        out = np.full(6, np.nan)
        for wave, column in ((-1, 0), (0, 2), (1, 4)):
            # not the slow kernels: they carry the baseline between the waves
            chosen = (self.wave == wave) & (width < (0.03, 0.03 * self.qrs_stretch, 0.15)[wave + 1] * self.rr)
            if not chosen.any():
                continue
            low = float((centre - 6 * width)[chosen].min())
            time = np.arange(low, float((centre + 6 * width)[chosen].max()), 2e-4)
            away = (time[:, None] - centre[chosen]) / width[chosen]
            size = np.linalg.norm(np.exp(-0.5 * away * away) @ part[chosen], axis=1)
            if wave < 1:
                above = np.flatnonzero(size > 0.05 * size.max())
                out[column : column + 2] = time[above[0]], time[above[-1]]
            else:
                top = int(np.argmax(size))
                slope = np.gradient(size, 2e-4)
                steep = top + int(np.argmin(slope[top:]))
                out[column : column + 2] = time[top], time[steep] - size[steep] / slope[steep]
        return out


def _waves(heart: SameniHeart, vector: HeartVector) -> _Waves:
    """Return the kernels of a heart vector, scaled so that |dipole| at R is the heart's."""
    wave = vector.wave
    height = np.where(wave == 1, heart.t_scale, 1.0) * vector.height
    scaled = HeartVector(vector.axis, vector.phase, height, vector.width, vector.rr)
    around = scaled.at(np.linspace(-0.5, 0.5, 4001))
    size = np.linalg.norm(around, axis=1)
    part = np.zeros((len(height), 3))
    part[np.arange(len(height)), vector.axis] = height
    part *= FRANK_TO_CHEST * heart.peak / size.max()
    cos, sin = np.cos(heart.t_turn), np.sin(heart.t_turn)
    part[wave == 1] = part[wave == 1] @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    per_rad = vector.rr / (2 * np.pi)
    delay, width = vector.phase * per_rad, vector.width * per_rad
    delay[wave == 0] *= heart.qrs_stretch
    width[wave == 0] *= heart.qrs_stretch
    delay[wave == -1] -= heart.pr_shift
    delay[wave == 1] += heart.t_shift
    if heart.st_level:
        # a plateau from the J point to the T wave, made of three Gaussians one width and a half apart
        apart = 0.045 * np.sqrt(vector.rr)
        against = -FRANK_TO_CHEST * around[np.argmax(size)] / size.max() * heart.peak * heart.st_level
        delay = np.concatenate([delay, 0.09 * np.sqrt(vector.rr) + apart * np.arange(3)])
        width = np.concatenate([width, np.full(3, apart / 1.5)])
        wave = np.concatenate([wave, np.ones(3, dtype=np.int64)])
        part = np.concatenate([part, np.tile(against / 1.66, (3, 1))])  # 1.66: what three such Gaussians add up to
    return _Waves(delay, width, wave, part @ heart.turn.T, vector.rr, heart.qrs_stretch)


class _SameniBeating:
    """The running heart: only its list of beats grows."""

    def __init__(self, heart: SameniHeart, rate: float, seed: tuple[int, ...]) -> None:
        self._rate = rate
        self._sites = heart.sites
        self._pulses: Pulses = heart.rhythm.start(seed)
        self._waves = {"normal": _waves(heart, heart.vector), "ectopic": _waves(heart, ECTOPIC)}
        self._known: dict[Pulse, Kernels] = {}
        # how far a beat reaches back and forth at the slowest pulse
        reach = 2.3 * 60 / heart.rhythm.rate
        self._back, self._forth = 0.4 * reach + 0.2, reach + 0.6

    def moments(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return the dipoles: (n_dipoles, samples, 3) A·m."""
        time = (first + np.arange(samples)) / self._rate
        return np.stack([site.share * self._at(time - site.delay) for site in self._sites])

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
        return [(sample, pulse.kind) for sample, pulse in self._found(first, stop)]

    def _found(self, first: int, stop: int) -> list[tuple[int, Pulse]]:
        """Return (sample, pulse) of each R peak with first <= sample < stop."""
        found = []
        margin = 4 * PEAK_SEARCH
        for pulse in self._pulses.between(first / self._rate - margin, stop / self._rate + margin):
            span = PEAK_SEARCH if pulse.kind == "normal" else 2 * PEAK_SEARCH
            start = round((pulse.time - span) * self._rate)
            whole = self.moments(start, round(2 * span * self._rate) + 1).sum(axis=0)
            sample = start + int(np.argmax(np.linalg.norm(whole, axis=1)))
            if first <= sample < stop:
                found.append((sample, pulse))
        return found

    def fiducials(self, first: int, stop: int) -> NDArray[np.float64]:
        """Return P on, P off, QRS on, QRS off, T peak, T end in samples of each beat: (n_beats, 6).

        Onsets and ends of P and QRS: where the wave alone passes 5 % of its own maximum. T end: where the
        steepest tangent of the falling |T| meets zero. NaN where a beat has no such wave.
        """
        return np.array(
            [
                self._waves[pulse.kind].fiducials(self._kernels(pulse)) * self._rate
                for _, pulse in self._found(first, stop)
            ]
        ).reshape(-1, 6)
