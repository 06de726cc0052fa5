"""Reference regression: the least-squares (Wiener) prediction of each channel from the references, taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, compiled, kernel
from zeromag._lanes import LANES, element, fma, load, splat, store
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.packed import packed, unpacked
from zeromag.filters.references import Learning, Memory, error, predicted, regressors, remembering
from zeromag.stage import Step

EVERY_S = 0.5  # the weights are solved for at these places in the stream


@dataclass(frozen=True, slots=True)
class ReferenceRegression(Learning):
    """y ← y - W r,  W = R_yr (R_rr + λI)⁻¹, solved anew twice a second over the last `memory` seconds.

    Multi-tap for delays between references and sensors (`taps` samples back). New weights come in linearly over
    half a second, so nothing steps. λ is `damping` times the mean power of the regressors. The first half second
    passes as it is.
    """

    memory: float = 60.0  # s; infinite: everything so far
    damping: float = 1e-6

    def __post_init__(self) -> None:
        Learning.__post_init__(self)
        if not self.memory > 0:
            raise ValueError(f"memory must be above 0 s, got {self.memory}")
        if not self.damping >= 0:
            raise ValueError(f"damping must be 0 or more, got {self.damping}")

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if there is no good reference."""
        return _Regression(self, head)


@kernel
def _regress(
    x: F64,
    bad: BOOL,
    start: int,
    stop: int,
    memory: Memory,
    forget: float,
    place: int,
    every: int,
    before: F64,
    after: F64,
    power: F64,
    cross: F64,
    out: F64,
) -> None:
    """Fade from weights `before` to `after` and gather the correlations for the next ones."""
    samples, (count, width) = stop - start, before.shape
    rows, trust = np.zeros((samples, width)), np.zeros((samples, width))
    known = np.empty((samples, count))
    packed(x, bad, start, stop, memory.mags, rows, trust)
    regressors(x, bad, start, memory, known)
    for t in range(samples):
        for k in range(count):
            for j in range(k + 1):
                power[k, j] = forget * power[k, j] + known[t, k] * known[t, j]
    keep, gain, clip, scale_gain = splat(forget), memory.gain, memory.clip, memory.scale_gain
    for c in range(0, width, LANES):
        mean, scale = load(memory.mag_slow, c), load(memory.scale, c)
        for t in range(samples):
            old, new = predicted(before, c, known, t), predicted(after, c, known, t)
            said = old + splat((place + t + 1) / every) * (new - old)
            value, good = load(rows, t * width + c), load(trust, t * width + c)
            store(rows, t * width + c, value - said)
            wrong, mean, scale = error(value, said, good, mean, scale, gain, clip, scale_gain)
            seen = said + wrong  # a bad sample is as predicted and teaches nothing
            for k in range(count):
                at = k * width + c
                store(cross, at, fma(splat(element(known, t * count + k)), seen, keep * load(cross, at)))
        store(memory.mag_slow, c, mean)
        store(memory.scale, c, scale)
    unpacked(rows, start, memory.mags, out)


class _Regression:
    """Correlations gathered sample by sample, weights solved at fixed places."""

    def __init__(self, settings: ReferenceRegression, head: Block) -> None:
        self._settings = settings
        self._memory = memory = remembering(head.sensors, head.rate, settings)
        self._origin = head.first
        self._every = max(2, round(EVERY_S * head.rate))
        self._forget = 1.0 - 1.0 / max(2.0, settings.memory * head.rate)
        size, width = memory.line.size, len(memory.mag_slow)
        self._power, self._cross = np.zeros((size, size)), np.zeros((size, width))
        self._before, self._after = np.zeros((size, width)), np.zeros((size, width))
        self._run = compiled(
            _regress,
            head.data,
            bad_samples(head),
            0,
            0,
            memory,
            self._forget,
            0,
            0,
            self._before,
            self._after,
            self._power,
            self._cross,
            head.data.copy(),
        )

    def __call__(self, block: Block) -> Block:
        x, bad = block.data, bad_samples(block)
        out = x.copy()
        at = 0
        while at < len(block):
            place = (block.first + at - self._origin) % self._every
            stop = min(len(block), at + self._every - place)
            weights, gathered = (self._before, self._after), (self._power, self._cross)
            self._run(x, bad, at, stop, self._memory, self._forget, place, self._every, *weights, *gathered, out)
            if place + stop - at == self._every:
                self._before, self._after = self._after, self._solved()
            at = stop
        return block.with_data(out)

    def _solved(self) -> NDArray[np.float64]:
        """Return the weights that the correlations ask for: (n_regressors, n_mag)."""
        power = np.tril(self._power) + np.tril(self._power, -1).T
        mean = float(np.trace(power)) / len(power)
        if not mean > 0:
            return self._after
        scaled = power / mean + self._settings.damping * np.eye(len(power))
        solved = np.linalg.lstsq(scaled, self._cross / mean, rcond=1e-13)[0]
        return np.ascontiguousarray(solved, dtype=np.float64)
