"""What the beats of one class look like in the QRS band, and how well and where another fits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, fma, load, splat, store

BEFORE, AFTER = 0.17, 0.07  # s around the envelope's peak: the whole QRS, delayed by the filter
LAG = 0.05  # s, farthest shift tried
WIDE = 8  # samples between shifts, from which on there is a step between coarse and fine
MEMORY = 16  # beats after which a template forgets its first ones


@kernel
def _packed(rows: F64, use: BOOL, every: int) -> F64:
    """Return every so manieth row, channels not used as zeros, filled up to whole lanes: one behind the other."""
    across = -(-rows.shape[1] // LANES) * LANES
    flat = np.zeros(-(-rows.shape[0] // every) * across)
    for t in range(0, rows.shape[0], every):
        for c in range(rows.shape[1]):
            if use[c]:
                flat[t // every * across + c] = rows[t, c]
    return flat


@kernel
def _sums(wave: F64, start: int, step: int, shape: F64, across: int, into: F64) -> tuple[float, float]:
    """Return the sums of wave times shape and of wave squared, over rows of the wave from `start`, `step` apart."""
    both, alone = splat(0.0), splat(0.0)
    for t in range(shape.shape[0] // across):
        for c in range(0, across, LANES):
            here = load(wave, (start + t * step) * across + c)
            both = fma(here, load(shape, t * across + c), both)
            alone = fma(here, here, alone)
    store(into, 0, both)
    store(into, LANES, alone)
    return float(into[:LANES].sum()), float(into[LANES:].sum())


@kernel
def _correlate(wave: F64, shape: F64, stride: int, coarse: F64) -> tuple[float, float]:
    """Best correlation of `shape` (n, channels) with `wave` and its shift, sub-sample, from the first one possible.

    Every `stride`-th sample is summed, since the band is far narrower than the rate; every `stride`-th shift
    is tried, then those near the best, ever closer: one peak of so narrow a band has no second within a stride. A
    channel with a NaN in either stays out.
    """
    n, shifts = shape.shape[0], wave.shape[0] - shape.shape[0] + 1
    use = np.ones(shape.shape[1], dtype=np.bool_)
    for t in range(wave.shape[0]):
        for c in range(wave.shape[1]):
            if np.isnan(wave[t, c]) or (t < n and np.isnan(shape[t, c])):
                use[c] = False
    across = -(-shape.shape[1] // LANES) * LANES
    lying, thin, into = _packed(wave, use, 1), _packed(shape, use, stride), np.zeros(2 * LANES)
    second = (thin**2).sum()
    coarse[:] = -2.0
    best, step, low, high = 0, stride, 0, shifts
    while True:
        for shift in range(low, high, step):
            if coarse[shift] == -2.0:
                both, first = _sums(lying, shift, stride, thin, across, into)
                coarse[shift] = both / np.sqrt(first * second) if first > 0.0 and second > 0.0 else 0.0
            if coarse[shift] > coarse[best]:
                best = shift
        if step == 1:
            break
        finer = 1 if step < WIDE else 1 + step // 5
        low, high = best - step // finer * finer, min(shifts, best + step + 1)
        low, step = low if low >= 0 else best % finer, finer
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
