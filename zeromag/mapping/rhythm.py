"""What the detector knows of the rhythm: how high beats and noise are, and when the next beat is due."""

from __future__ import annotations

import math
from statistics import median

SHARE = 0.35  # of the way from noise to beats at which a peak is likely a beat
NEWEST = 8  # beats that levels and intervals are taken from
DOUBT = 0.45  # s after a beat in which a T wave could stand
LATE = 1.5  # of the typical interval after which a beat is missing
EARLY = 0.8  # of the typical interval below which a beat is premature


class Rhythm:
    """Levels and intervals of the newest beats."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._beats: list[float] = []
        self._noise: list[float] = []
        self._rr: list[float] = []  # s
        self.last = -1  # envelope's peak of the last beat, stream sample
        self._last_r = float("nan")

    def begin(self, height: float) -> None:
        """Set the level that beats have, before the first one is judged."""
        self._beats = [height]

    def after_gap(self) -> None:
        """Forget when the last beat was, and keep how high beats and noise are and how far apart."""
        self.last, self._last_r = -1, float("nan")

    @property
    def beat_level(self) -> float:
        """Typical height of the newest beats."""
        return median(self._beats)

    @property
    def noise_level(self) -> float:
        """Typical height of the newest peaks that were none."""
        return median(self._noise) if self._noise else 0.0

    @property
    def interval(self) -> float:
        """Typical interval, s; 1 s before two beats are known."""
        return median(self._rr) if self._rr else 1.0

    @property
    def threshold(self) -> float:
        """Height from which a peak is likely a beat."""
        noise = min(self.noise_level, 0.7 * self.beat_level)
        return noise + SHARE * (self.beat_level - noise)

    def likely(self, at: int, height: float) -> bool:
        """Return whether a peak is high enough, and not within the refractory time of the last beat."""
        return height >= self.threshold and not (self.last >= 0 and at - self.last < 0.2 * self._rate)

    def soon(self, at: int, height: float) -> bool:
        """Return whether a peak follows so closely, and is so low, that it may be the T wave of the last beat."""
        return (
            self.last >= 0
            and at - self.last < DOUBT * self._rate
            and height < 0.7 * max(self._beats[-1], self.beat_level)
        )

    def low(self, height: float, usual: float, *, noisy: bool) -> bool:
        """Return whether a peak of strange shape is too low to be a beat: for its class, or in noise."""
        return height < 0.5 * usual or (noisy and height < 1.2 * self.beat_level)

    def early(self, at: int) -> bool:
        """Return whether a peak at `at` comes sooner than the rhythm has it."""
        return self.last >= 0 and at - self.last < 0.85 * self.interval * self._rate

    def lost(self, at: int, seconds: float) -> bool:
        """Return whether there has been no beat for so long that the heart has changed, or its field."""
        return self.last >= 0 and at - self.last > seconds * self._rate

    def missing(self, at: int) -> bool:
        """Return whether a beat should have come between the last one and `at`."""
        return self.last >= 0 and at - self.last > LATE * self.interval * self._rate

    def may_be_missed(self, at: int, height: float, now: int) -> bool:
        """Return whether a peak that was passed over can be the missing beat."""
        apart = 0.3 * self._rate
        return height >= 0.5 * self.threshold and at - self.last >= apart and now - at >= apart

    def noise(self, height: float) -> None:
        """Take the height of a peak that was no beat."""
        self._noise = [*self._noise[-15:], height]

    def beat(self, at: int, sample: float, height: float) -> float:
        """Take a beat; return the interval since the one before, s, NaN for the first."""
        rr = (sample - self._last_r) / self._rate
        if math.isfinite(rr):  # neither the first nor the first after a gap
            self._rr = [*self._rr[-(NEWEST - 1) :], rr]
        self.last, self._last_r = at, sample
        # one artefact must not hide the beats after it
        self._beats = [*self._beats[-(NEWEST - 1) :], min(height, 2.0 * self.beat_level)]
        return rr

    def premature(self, rr: float) -> bool:
        """Return whether an interval is short beside its neighbours, in a rhythm that is otherwise regular."""
        if len(self._rr) < 4 or not rr < EARLY * self.interval:
            return False
        before = self._rr[:-1]
        spread = median(abs(one - median(before)) for one in before)
        return spread < 0.1 * median(before)
