"""Channels that fail: dead, stuck, jumping, noisy, clipping; for a while or all the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray

JUMP = 25e-12  # T
JUMP_S = 6.0  # s, mean time between jumps
NOISY = 300e-15  # T/√Hz, white: twenty times a good sensor
HEADROOM = 30e-12  # T between a clipping channel's resting level and its rail
STUCK = 123e-12  # T


@dataclass(frozen=True, slots=True)
class Faults:
    """Which channels fail, and from when to when (s).

    A dead channel reads 0, a stuck one a constant, a jumping one steps by ±25 pT about every 6 s and never
    strays more than 50 pT, a noisy one gets 300 fT/√Hz on top, a clipping one rests 30 pT below its rail.
    """

    dead: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    jumping: tuple[str, ...] = ()
    noisy: tuple[str, ...] = ()
    clipping: tuple[str, ...] = ()
    start_s: float = 0.0
    stop_s: float = np.inf

    def check(self, sensors: SensorArray) -> None:
        """Refuse names that the array does not have."""
        for name in (*self.dead, *self.stuck, *self.jumping, *self.noisy, *self.clipping):
            if name not in sensors.names:
                close = get_close_matches(name, sensors.names, n=1, cutoff=0.0)
                raise ValueError(f"no sensor {name!r} in this array, did you mean {close[0]!r}")

    def start(
        self, sensors: SensorArray, rate: float, seed: tuple[int, ...]
    ) -> Callable[[int, NDArray[np.float64]], None]:
        """Return what spoils readings in place, given their first sample: (samples, n_channels) T."""
        self.check(sensors)
        at = {name: c for c, name in enumerate(sensors.names)}
        begin, end = self.start_s * rate, self.stop_s * rate
        jumps = [_Jumps(at[name], rate, (*seed, at[name])) for name in self.jumping]
        offsets: dict[int, float] = {}

        def spoil(first: int, field: NDArray[np.float64]) -> None:
            sample = first + np.arange(len(field))
            on = (sample >= begin) & (sample < end)
            if not on.any():
                return
            for channel in (at[name] for name in self.noisy):
                random = np.random.Generator(np.random.SFC64(np.random.SeedSequence((*seed, channel, first))))
                field[on, channel] += NOISY * np.sqrt(rate / 2) * random.standard_normal(len(field))[on]
            for jump in jumps:
                field[on, jump.channel] += jump.level(sample)[on]
            for channel in (at[name] for name in self.clipping):
                rest = float(np.median(field[on, channel]))
                field[on, channel] += offsets.setdefault(channel, sensors.limit[channel] - HEADROOM - rest)
            for name in self.stuck:
                field[on, at[name]] = STUCK
            for name in self.dead:
                field[on, at[name]] = 0.0

        return spoil


class _Jumps:
    """The steps of one jumping channel, as far as they were asked for."""

    def __init__(self, channel: int, rate: float, seed: tuple[int, ...]) -> None:
        self.channel = channel
        self._random = np.random.default_rng(np.random.SeedSequence(seed))
        self._mean = JUMP_S * rate
        self._at = [0.0]
        self._levels = [0]

    def level(self, sample: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the level at these samples (n,): T."""
        while self._at[-1] <= sample[-1]:
            wait = self._mean * (0.3 + 0.7 * self._random.standard_exponential())
            step = 1 if self._random.uniform() < 0.5 else -1
            before = self._levels[-1]
            self._at.append(self._at[-1] + wait)
            self._levels.append(before + step if abs(before + step) <= 2 else before - step)
        where = np.searchsorted(self._at, sample, side="right") - 1
        level: NDArray[np.float64] = np.array(self._levels, dtype=np.float64)[where] * JUMP
        return level
