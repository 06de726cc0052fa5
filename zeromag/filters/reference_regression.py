"""Reference regression: the least-squares (Wiener) prediction of each channel from the references, taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.references import Learning, References, believed, regressors
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
    refs: I64,
    mags: I64,
    mix: F64,
    gain: float,
    slow: F64,
    held: F64,
    line: F64,
    mag_slow: F64,
    clip: float,
    scale_gain: float,
    scale: F64,
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
    n = len(mags)
    row, learn = np.empty(n), np.empty(n)
    flat = line.reshape(line.size)
    size = len(flat)
    for t in range(start, stop):
        regressors(x, bad, t, refs, mix, gain, slow, held, line)
        fade = (place + t - start + 1) / every
        row[:] = 0.0
        for k in range(size):
            value = flat[k]
            for c in range(n):
                row[c] += (before[k, c] + fade * (after[k, c] - before[k, c])) * value
        for c in range(n):
            value = x[t, mags[c]]
            out[t, mags[c]] = value - row[c]
            if bad[t, mags[c]] or not np.isfinite(value):
                learn[c] = row[c]  # as if predicted: a bad sample teaches nothing
                continue
            if np.isnan(mag_slow[c]):
                mag_slow[c] = value
            mag_slow[c] += gain * (value - mag_slow[c])
            learn[c] = row[c] + believed(value - mag_slow[c] - row[c], c, clip, scale_gain, scale)
        for k in range(size):
            value = flat[k]
            for j in range(k + 1):
                power[k, j] = forget * power[k, j] + value * flat[j]
            for c in range(n):
                cross[k, c] = forget * cross[k, c] + value * learn[c]


class _Regression:
    """Correlations gathered sample by sample, weights solved at fixed places."""

    def __init__(self, settings: ReferenceRegression, head: Block) -> None:
        self._settings = settings
        self._refs = refs = References(head.sensors, head.rate, settings)
        self._origin = head.first
        self._every = max(2, round(EVERY_S * head.rate))
        self._forget = 1.0 - 1.0 / max(2.0, settings.memory * head.rate)
        size, n = refs.count, len(refs.mags)
        self._power, self._cross = np.zeros((size, size)), np.zeros((size, n))
        self._before, self._after = np.zeros((size, n)), np.zeros((size, n))

    def __call__(self, block: Block) -> Block:
        out = block.data.copy()
        bad = bad_samples(block)
        at = 0
        while at < len(block):
            place = (block.first + at - self._origin) % self._every
            stop = min(len(block), at + self._every - place)
            self._run(block.data, bad, (at, stop, place), out)
            if place + stop - at == self._every:
                self._before, self._after = self._after, self._solved()
            at = stop
        return block.with_data(out)

    def _run(
        self,
        x: NDArray[np.float64],
        bad: NDArray[np.bool_],
        where: tuple[int, int, int],
        out: NDArray[np.float64],
    ) -> None:
        refs = self._refs
        start, stop, place = where
        _regress(
            x,
            bad,
            start,
            stop,
            refs.refs,
            refs.mags,
            refs.mix,
            refs.gain,
            refs.slow,
            refs.held,
            refs.line,
            refs.mag_slow,
            self._settings.clip,
            refs.scale_gain,
            refs.scale,
            self._forget,
            place,
            self._every,
            self._before,
            self._after,
            self._power,
            self._cross,
            out,
        )

    def _solved(self) -> NDArray[np.float64]:
        """Return the weights that the correlations ask for: (n_regressors, n_mag)."""
        power = np.tril(self._power) + np.tril(self._power, -1).T
        mean = float(np.trace(power)) / len(power)
        if not mean > 0:
            return self._after
        scaled = power / mean + self._settings.damping * np.eye(len(power))
        solved = np.linalg.lstsq(scaled, self._cross / mean, rcond=1e-13)[0]
        return np.ascontiguousarray(solved, dtype=np.float64)
