"""Averaged beats made directly, thousands in a minute, of a heart whose mean beat is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.pile import Pile
from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.sensors import SensorArray

RATE = 1000.0
TIME: F64 = np.arange(-300, 501) / RATE
FLAT = (TIME >= -0.10) & (TIME < -0.06)  # the piece of the PR segment called zero, as in Averager

# s from R, width s, moment along x and y in µA·m; which wave: 0 P, 1 QRS, 2 T
WAVES: F64 = np.array(
    [
        (-0.170, 0.018, 1.0, 0.5, 0),
        (-0.028, 0.008, -1.0, 2.0, 1),
        (0.000, 0.012, 10.0, -8.0, 1),
        (0.030, 0.010, -2.0, 3.0, 1),
        (0.250, 0.045, 2.5, -2.2, 2),
        (0.290, 0.030, 1.0, -0.3, 2),
    ]
)
PLACE: F64 = np.array([0.010, 0.010, -0.10])  # m
# three parts of the wall, excited one after the other: where (m), when (s), share, and how far its T wave turns (rad)
SITES: F64 = np.array(
    [
        (-0.020, 0.012, 0.008, -0.008, 0.40, -0.5),
        (0.008, -0.024, 0.012, 0.000, 0.35, 0.1),
        (0.024, 0.008, -0.016, 0.008, 0.25, 0.6),
    ]
)


def planar(side: int = 6, pitch: float = 0.04) -> SensorArray:
    """Return a flat grid of Bz sensors."""
    line = (np.arange(side) - (side - 1) / 2) * pitch
    places = np.array([(x, y, 0.0) for y in line for x in line])
    axes = np.tile([0.0, 0.0, 1.0], (len(places), 1))
    return SensorArray(tuple(f"S{c:02d}" for c in range(len(places))), places, axes)


@dataclass(frozen=True, slots=True)
class Variation:
    """How much each beat differs from the mean beat: standard deviations."""

    strength: float = 0.03  # of each wave's height
    breath: float = 0.002  # m, of the heart's place, each axis
    t_time: float = 0.003  # s, of the T wave's time against R
    p_time: float = 0.003  # s
    alignment: float = 0.0003  # s, of where the detector puts R
    rr: float = 0.03  # of the mean RR


@dataclass(frozen=True, slots=True)
class Scene:
    """One heart under one array; `sites` False makes it a single dipole."""

    sensors: SensorArray
    variation: Variation = Variation()
    noise: float = 0.3e-12  # T a beat and channel, below 100 Hz
    common: float = 0.1e-12  # T a beat, left of the room: one slow field over the array
    sites: bool = True
    rr: float = 0.9  # s

    def beat(self, draw: F64) -> F64:
        """Return one noise-free beat (n_times, n_channels) T; `draw` (9,) standard normal says how it varies."""
        vary = self.variation
        sites = SITES if self.sites else np.array([(0.0, 0.0, 0.0, 0.0, 1.0, 0.0)])
        moved = PLACE + vary.breath * draw[:3]
        late = np.array([vary.p_time * draw[3], 0.0, vary.t_time * draw[4]]) + vary.alignment * draw[5]
        height = 1.0 + vary.strength * draw[6:9]
        wave = np.zeros((len(TIME), len(self.sensors)))
        for site in sites:
            gains = lead_field(HalfSpace(), (moved + site[:3])[None, :], self.sensors.positions, self.sensors.axes)
            moments = np.zeros((len(TIME), 3))
            for middle, width, x, y, which in WAVES:
                k = int(which)
                turn = site[5] if k == 2 else 0.0
                pulse = 1e-6 * site[4] * height[k] * np.exp(-0.5 * ((TIME - middle - late[k] - site[3]) / width) ** 2)
                moments[:, 0] += pulse * (x * np.cos(turn) - y * np.sin(turn))
                moments[:, 1] += pulse * (x * np.sin(turn) + y * np.cos(turn))
            wave += moments @ gains[:, 0, :].T
        return np.asarray(wave - wave[FLAT].mean(axis=0))

    def mean_beat(self, beats: int = 4000) -> F64:
        """Return the mean of so many noise-free beats: what an endless scan would average to."""
        random = np.random.default_rng(987)
        total = np.zeros((len(TIME), len(self.sensors)))
        for _ in range(beats // 2):
            draw = random.standard_normal(9)
            total += self.beat(draw) + self.beat(-draw)  # in pairs, so that only the curvature is left to chance
        return total / beats

    def noisy_beat(self, random: np.random.Generator) -> F64:
        """Return one beat as the averager would lay it on its pile: (n_times, n_channels) T."""
        n = len(self.sensors)
        wave = self.beat(random.standard_normal(9)) + _coloured(random, n, self.noise)
        wave += _slow(random)[:, None] * (self.common * random.standard_normal(n))
        return np.asarray(wave - wave[FLAT].mean(axis=0))

    def scan(self, beats: int, seed: int) -> tuple[Average, list[Beat]]:
        """Return the average that a scan of so many beats would end with, and the beats."""
        random = np.random.default_rng(seed)
        n = len(self.sensors)
        pile = Pile(len(TIME), n, 64)
        rr = self.rr * (1 + self.variation.rr * random.standard_normal(beats))
        good = np.ones(n, dtype=np.bool_)
        for k in range(beats):
            pile.add(self.noisy_beat(random), good, float(rr[k]))
        found = [Beat(1000 * self.rr * (k + 1), rr=float(rr[k])) for k in range(beats)]
        return pile.average("normal", TIME, self.sensors), found


def _coloured(random: np.random.Generator, n: int, scale: float) -> F64:
    """Return white noise below 100 Hz, `scale` its standard deviation: (n_times, n)."""
    from scipy.signal import butter, sosfilt

    sos = butter(4, 100.0, fs=RATE, output="sos")
    noise = sosfilt(sos, random.standard_normal((len(TIME) + 60, n)), axis=0)[60:]
    return np.asarray(scale / np.sqrt(0.2) * noise)


def _slow(random: np.random.Generator) -> F64:
    """Return a wander of a few Hz and standard deviation 1: (n_times,)."""
    phases, rates = random.uniform(0, 2 * np.pi, 4), random.uniform(0.3, 4.0, 4)
    return np.asarray(np.sqrt(0.5) * np.sin(2 * np.pi * rates * TIME[:, None] + phases).sum(axis=1))
