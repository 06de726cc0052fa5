"""What the beats of one class look like in the QRS band, and how well and where another fits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zeromag._jit import F64, kernel

BEFORE, AFTER = 0.17, 0.07  # s around the envelope's peak: the whole QRS, delayed by the filter
LAG = 0.05  # s, farthest shift tried
MEMORY = 16  # beats after which a template forgets its first ones


@kernel
def _correlate(wave: F64, shape: F64, stride: int, coarse: F64) -> tuple[float, float]:
    """Best correlation of `shape` (n, channels) with `wave` and its shift, sub-sample, from the first one possible.

    Every `stride`-th sample is summed, since the band is far narrower than the rate; every `stride`-th shift
    is tried, then all those near the best. A channel with a NaN in either stays out.
    """
    n, shifts = shape.shape[0], wave.shape[0] - shape.shape[0] + 1
    use = np.ones(shape.shape[1], dtype=np.bool_)
    for t in range(wave.shape[0]):
        for c in range(wave.shape[1]):
            if np.isnan(wave[t, c]) or (t < n and np.isnan(shape[t, c])):
                use[c] = False
    coarse[:] = -2.0
    best = 0
    for fine in range(2):
        low, high, step = (
            (0, shifts, stride) if fine == 0 else (max(0, best - stride), min(shifts, best + stride + 1), 1)
        )
        for shift in range(low, high, step):
            both, first, second = 0.0, 0.0, 0.0
            for t in range(0, n, stride):
                for c in range(shape.shape[1]):
                    if use[c]:
                        both += wave[shift + t, c] * shape[t, c]
                        first += wave[shift + t, c] ** 2
                        second += shape[t, c] ** 2
            coarse[shift] = both / np.sqrt(first * second) if first > 0.0 and second > 0.0 else 0.0
            if coarse[shift] > coarse[best]:
                best = shift
    place = float(best)
    if 0 < best < shifts - 1 and coarse[best - 1] > -2.0 and coarse[best + 1] > -2.0:
        curve = coarse[best - 1] - 2.0 * coarse[best] + coarse[best + 1]
        if curve < 0.0:
            place += 0.5 * (coarse[best - 1] - coarse[best + 1]) / curve
    return coarse[best], place


@dataclass(frozen=True, slots=True)
class Fit:
    """How a template lies on a wave."""

    correlation: float
    shift: float  # samples from the middle of the span that was tried, sub-sample


@dataclass(slots=True, eq=False)
class Template:
    """One class of beats: its running mean in the QRS band and how often it was seen."""

    shape: F64  # (n_samples, n_channels)
    kind: str
    height: float  # of its envelope, running mean
    r_after: float = 0.0  # samples from the anchor (the envelope's peak of the template) to R
    count: int = 1
    correlations: list[float] = field(default_factory=list)  # of its newest beats

    def fit(self, wave: F64, stride: int) -> Fit:
        """Return where the template correlates best with a wave of `2 * lag` more samples."""
        return fit(wave, self.shape, stride)

    def learn(self, wave: F64, found: Fit, height: float) -> None:
        """Take a beat into the running mean, at the whole sample nearest to where it fits."""
        n = len(self.shape)
        begin = round((len(wave) - n) / 2 + found.shift)
        part = wave[begin : begin + n]
        self.count += 1
        weight = 1.0 / min(self.count, MEMORY)
        if len(part) == n:
            fresh = np.where(np.isnan(self.shape), part, self.shape)
            self.shape = fresh + weight * (np.where(np.isnan(part), fresh, part) - fresh)
        self.height += weight * (height - self.height)
        self.correlations = [*self.correlations[-MEMORY:], found.correlation]

    def bar(self, alike: float) -> float:
        """Return the correlation from which a beat belongs here: lower where noise makes all fit less."""
        return min(alike, max(0.5, self.typical - 0.2))

    @property
    def typical(self) -> float:
        """Median correlation of its newest beats."""
        return float(np.median(self.correlations)) if self.correlations else 1.0


def fit(wave: F64, shape: F64, stride: int) -> Fit:
    """Return where `shape` correlates best with a wave of `2 * lag` more samples, refined by a parabola."""
    shifts = len(wave) - len(shape) + 1
    correlation, place = _correlate(wave, shape, stride, np.empty(shifts))
    return Fit(float(correlation), float(place) - (shifts - 1) / 2)
