"""The running mean of one class of beats, its noise, and a bounded number of part means for the bootstrap."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64, I32, kernel
from zeromag.mapping.average import Average
from zeromag.mapping.parts import Parts
from zeromag.sensors import SensorArray


@kernel
def _add(
    wave: F64, good: BOOL, sign: float, slowest: float, mean: F64, turned: F64, odd: F64, count: I32, part: F64,
    part_count: I32,
) -> None:  # fmt: skip
    """Take a beat into the means by Welford's step, of `1/slowest` at least.

    `turned` is the mean with every second beat upside down, `odd` how much of the heart that leaves in it.
    """
    for t in range(wave.shape[0]):
        for c in range(wave.shape[1]):
            if good[c]:
                count[t, c] += 1
                over = min(float(count[t, c]), slowest)
                mean[t, c] += (wave[t, c] - mean[t, c]) / over
                turned[t, c] += (sign * wave[t, c] - turned[t, c]) / over
                odd[t, c] += (sign - odd[t, c]) / over
                part_count[t, c] += 1
                part[t, c] += (wave[t, c] - part[t, c]) / part_count[t, c]


@kernel
def _unlike(turned: F64, odd: F64, mean: F64, power: F64) -> None:
    """Write the mean square of what ± averaging leaves but for the heart in it: no array of a beat's size is made."""
    power[:] = 0.0
    for t in range(mean.shape[0]):
        for c in range(mean.shape[1]):
            left = turned[t, c] - odd[t, c] * mean[t, c]
            power[c] += left * left
    for c in range(len(power)):
        power[c] /= mean.shape[0]


class Pile:
    """Beats of one class; the memory does not grow with their number.

    Beat k goes into part k mod `parts`: resampling the parts resamples the beats, exactly so while there are
    no more beats than parts. With a `memory` of N beats the mean is exponential: a new beat weighs a = 2/(N + 1), and
    the noise is that of (2 − a)/a = N beats; a part then holds its newest beat alone, with the weight that is left.
    """

    def __init__(self, n_times: int, n_channels: int, parts: int, memory: float = 0.0) -> None:
        self.count = 0
        self._memory = memory
        self._odd = np.zeros((n_times, n_channels))
        self._mean = np.zeros((n_times, n_channels))
        self._turned = np.zeros((n_times, n_channels))
        self._count = np.zeros((n_times, n_channels), dtype=np.int32)
        self._limit = parts
        self._parts: list[F64] = []
        self._part_counts: list[I32] = []
        self._shown: set[int] = set()  # parts that somebody holds as they are
        self._rr: list[tuple[float, int]] = []  # s, sum and number of the intervals of each part

    def add(self, wave: F64, good: BOOL, rr: float = float("nan")) -> None:
        """Take one beat (up to n_times, n_channels), `rr` s after the one before; channels not good stay out."""
        part = self.count % self._limit
        if part == len(self._parts):
            self._parts.append(np.zeros_like(self._mean))
            self._part_counts.append(np.zeros_like(self._count))
            self._rr.append((0.0, 0))
        if part in self._shown:
            self._shown.remove(part)
            self._parts[part], self._part_counts[part] = self._parts[part].copy(), self._part_counts[part].copy()
        if self._memory:
            self._part_counts[part][:] = 0
            self._rr[part] = 0.0, 0
        if np.isfinite(rr):
            self._rr[part] = self._rr[part][0] + rr, self._rr[part][1] + 1
        sign = 1.0 if self.count % 2 == 0 else -1.0
        slowest = (self._memory + 1) / 2 if self._memory else np.inf
        _add(
            np.ascontiguousarray(wave), good, sign, slowest, self._mean, self._turned, self._odd, self._count,
            self._parts[part], self._part_counts[part],
        )  # fmt: skip
        self.count += 1

    def average(self, kind: str, time: F64, sensors: SensorArray) -> Average:
        """Return the average so far; `nave` is how many equal beats it is as good as.

        The noise is that of ± averaging; what an odd number of beats leaves of the heart in it is taken off by the
        beat's own average.
        """
        good = (self._count[0] > 0) & sensors.usable()
        wave, self._shown = self._mean.copy(), set(range(len(self._parts)))
        return Average(
            kind=kind,
            time=time,
            wave=wave,
            noise=self._noise(time),
            nave=min(self.count, round(self._memory)) if self._memory else self.count,
            sensors=sensors,
            good=good,
            parts=Parts(tuple(self._parts), tuple(self._part_counts), wave, self._left()),
            rr=np.array([total / count if count else np.nan for total, count in self._rr]),
        )

    def _noise(self, time: F64) -> F64:
        if self.count < 2:
            quiet = self._mean[time < -0.05]
            single: F64 = np.std(np.diff(quiet, axis=0), axis=0) / np.sqrt(2.0)
            return single
        power = np.empty(self._mean.shape[1])
        _unlike(self._turned, self._odd, self._mean, power)
        return np.sqrt(power)

    def _left(self) -> F64:
        """Return what weight each part's newest beat has left: (n_parts,); 1 without a memory."""
        n = len(self._parts)
        if not self._memory:
            return np.ones(n)
        age = (self.count - 1 - np.arange(n)) % self._limit
        return np.asarray((1 - 2 / (self._memory + 1)) ** age, dtype=np.float64)
