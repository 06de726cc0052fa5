"""NLMS: follow the references with a step normalised by their power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.references import Learning, References, believed, regressors
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class Nlms(Learning):
    """Normalised least mean squares on the references: e = y - w·x,  w ← w + µ e x / (ε + x·x).

    Slow by default: with the heart in the primaries a step of 0.1 leaves 33 % of the QRS. Errors beyond `clip`
    times their usual size are clipped, so that a QRS does not steer. Both sides are taken about their slow mean.
    """

    step: float = 3e-4

    def __post_init__(self) -> None:
        Learning.__post_init__(self)
        if not 0 < self.step < 2:
            raise ValueError(f"NLMS is stable for a step above 0 and below 2, got {self.step}")

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if there is no good reference."""
        refs = References(head.sensors, head.rate, self)
        weights = np.zeros((refs.count, len(refs.mags)))

        def run(block: Block) -> Block:
            out = block.data.copy()
            _nlms(
                block.data,
                bad_samples(block),
                refs.refs,
                refs.mags,
                refs.mix,
                refs.gain,
                refs.slow,
                refs.held,
                refs.line,
                refs.mag_slow,
                self.clip,
                refs.scale_gain,
                refs.scale,
                self.step,
                weights,
                out,
            )
            return block.with_data(out)

        return run


@kernel
def _nlms(
    x: F64,
    bad: BOOL,
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
    step: float,
    weights: F64,
    out: F64,
) -> None:
    """Weights are (regressor, channel), so that the inner loops run along memory."""
    n = len(mags)
    row, learn = np.empty(n), np.empty(n)
    flat = line.reshape(line.size)
    for t in range(x.shape[0]):
        regressors(x, bad, t, refs, mix, gain, slow, held, line)
        row[:] = 0.0
        power = 1e-40  # T², far below any sensor's noise: only keeps 0/0 away
        for k in range(len(flat)):
            value = flat[k]
            power += value * value
            for c in range(n):
                row[c] += weights[k, c] * value
        for c in range(n):
            value = x[t, mags[c]]
            out[t, mags[c]] = value - row[c]
            if bad[t, mags[c]] or not np.isfinite(value):
                learn[c] = 0.0
                continue
            if np.isnan(mag_slow[c]):
                mag_slow[c] = value
            mag_slow[c] += gain * (value - mag_slow[c])
            learn[c] = step / power * believed(value - mag_slow[c] - row[c], c, clip, scale_gain, scale)
        for k in range(len(flat)):
            value = flat[k]
            for c in range(n):
                weights[k, c] += learn[c] * value
