"""When the heart beats: a mean rate, its variability, and beats that come early."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

LINES = 8  # sinusoids that stand for one bump of the tachogram's spectrum
PREMATURE = 0.62  # an ectopic beat's RR as a part of the normal one


@dataclass(frozen=True, slots=True)
class Pulse:
    """One beat: R at `time`, after `rr`, both in seconds; `kind` is `normal` or `ectopic`."""

    time: float
    rr: float
    kind: str = "normal"
    strength: float = 1.0  # of the QRS, about 1
    recovery: float = 1.0  # of the T wave, about 1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """RR intervals whose spectrum has Gaussian bumps at 0.1 and 0.25 Hz (McSharry et al. 2003).

    `variability` is the standard deviation of RR over its mean, `balance` the power of the slow bump over
    that of the fast one. Each `ectopic_every`-th beat (0: none) comes early and is followed by a full
    compensatory pause, so that the beats after it keep the old time.
    """

    rate: float = 60.0  # 1/min
    variability: float = 0.03
    balance: float = 0.5
    variation: float = 0.02  # standard deviation of each beat's QRS and T strength
    ectopic_every: int = 0

    def __post_init__(self) -> None:
        if not 20 <= self.rate <= 300:
            raise ValueError(f"the heart rate must be 20 to 300 /min, got {self.rate:g}")
        if not (0 <= self.variability <= 0.2 and 0 <= self.variation <= 0.3):
            raise ValueError(
                f"variability must be 0 to 0.2 and variation 0 to 0.3, got {self.variability:g} and {self.variation:g}"
            )
        if self.ectopic_every < 0 or self.ectopic_every == 1:
            raise ValueError(f"ectopic_every must be 0 or from 2 up, got {self.ectopic_every}")

    def start(self, seed: tuple[int, ...]) -> Pulses:
        """Return the endless row of beats for a seed."""
        return Pulses(self, seed)


class Pulses:
    """The beats of one rhythm, made as far as they are asked for and kept."""

    def __init__(self, rhythm: Rhythm, seed: tuple[int, ...]) -> None:
        random = np.random.default_rng(np.random.SeedSequence(seed))
        slow, fast = random.normal(0.1, 0.01, LINES), random.normal(0.25, 0.01, LINES)
        power = np.repeat([rhythm.balance / (1 + rhythm.balance), 1 / (1 + rhythm.balance)], LINES)
        self._lines = np.concatenate([slow, fast])
        self._phases = random.uniform(0, 2 * np.pi, 2 * LINES)
        self._weights = rhythm.variability * np.sqrt(2 * power / LINES)
        self._rhythm = rhythm
        self._random = random
        self._times, self._rest = array("d"), array("d")  # 33 bytes a beat: a stream may go on for days
        self._early = bytearray()
        self._sinus = random.uniform(-1.0, -0.2) * 60 / rhythm.rate  # when the sinus node fires next
        self._before = self._sinus - 60 / rhythm.rate
        self._count = 0
        for _ in range(2):  # enough history for the last T wave to reach into sample 0
            self._sinus -= 60 / rhythm.rate
            self._before -= 60 / rhythm.rate

    def between(self, start: float, stop: float) -> list[Pulse]:
        """Return the beats with start <= time < stop (s)."""
        while not self._times or self._times[-1] < stop:
            self._grow()
        return [self._pulse(k) for k in range(bisect_left(self._times, start), bisect_left(self._times, stop))]

    def after(self, time: float) -> Pulse:
        """Return the first beat later than `time` (s)."""
        while not self._times or self._times[-1] <= time:
            self._grow()
        return self._pulse(bisect_right(self._times, time))

    def _pulse(self, k: int) -> Pulse:
        rr, strength, recovery = self._rest[3 * k : 3 * k + 3]
        return Pulse(self._times[k], rr, "ectopic" if self._early[k] else "normal", strength, recovery)

    def _grow(self) -> None:
        """Add the next beat."""
        rhythm = self._rhythm
        interval = self._interval(self._sinus)
        time, early = self._sinus, False
        if rhythm.ectopic_every and time > 0:
            self._count += 1
            if self._count % rhythm.ectopic_every == 0:
                # the early beat takes the place of this one; the next sinus beat comes when it would have
                time, early = self._before + PREMATURE * (self._sinus - self._before), True
        strength, recovery = 1 + rhythm.variation * self._random.standard_normal(2)
        self._times.append(time)
        self._rest.extend((time - self._before, strength, recovery))
        self._early.append(early)
        self._before = time
        self._sinus += interval

    def _interval(self, time: float) -> float:
        """Return the RR interval that begins at `time` (s)."""
        swing = float(np.sum(self._weights * np.cos(2 * np.pi * self._lines * time + self._phases)))
        return 60 / self._rhythm.rate * (1 + swing)
