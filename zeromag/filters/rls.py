"""RLS: least squares on the references, forgetting slowly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.references import Learning, References, believed, regressors
from zeromag.stage import Step

UNSURE = 1e24  # 1/T²: a prior of weights of order 1 where errors are 1 pT


@dataclass(frozen=True, slots=True)
class Rls(Learning):
    """Recursive least squares: k = Px/(λ + x·Px),  w ← w + k e,  P ← (P - k xᵀP)/λ,  λ = 1 - 1/(rate·memory).

    One P serves all channels, since they share the regressors. A memory of 0.1 s takes 21 % of the heart, 10 s
    0.7 %; errors beyond `clip` times their usual size are clipped, so that a QRS does not steer.
    """

    memory: float = 30.0  # s

    def __post_init__(self) -> None:
        Learning.__post_init__(self)
        if not self.memory > 0:
            raise ValueError(f"memory must be above 0 s, got {self.memory}")

    def start(self, head: Block) -> Step:
        """Return the running filter.

        Raises
        ------
        ValueError
            If there is no good reference, or the memory is shorter than two samples.
        """
        if not self.memory * head.rate > 2:
            raise ValueError(f"memory must be longer than two samples at {head.rate:g} Hz, got {self.memory} s")
        refs = References(head.sensors, head.rate, self)
        forget = 1.0 - 1.0 / (self.memory * head.rate)
        weights = np.zeros((refs.count, len(refs.mags)))
        spread = UNSURE * np.eye(refs.count)

        def run(block: Block) -> Block:
            out = block.data.copy()
            _rls(
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
                forget,
                spread,
                weights,
                out,
            )
            return block.with_data(out)

        return run


@kernel
def _learn(x: F64, forget: float, spread: F64, gain: F64) -> None:
    """Move P (`spread`) on by one regressor x, kept symmetric, and write the gain vector k = Px/(λ + x·Px)."""
    size = len(x)
    total, trace = forget, 0.0
    for k in range(size):
        acc = 0.0
        for j in range(size):
            acc += spread[k, j] * x[j]
        gain[k] = acc
        total += x[k] * acc
    for k in range(size):
        for j in range(k + 1):
            value = (spread[k, j] - gain[k] * gain[j] / total) / forget
            spread[k, j] = value
            spread[j, k] = value
        trace += spread[k, k]
    gain /= total
    if not 0.0 < trace <= size * UNSURE:  # wound up while the references were silent
        spread[:, :] = 0.0
        for k in range(size):
            spread[k, k] = UNSURE


@kernel
def _rls(
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
    forget: float,
    spread: F64,
    weights: F64,
    out: F64,
) -> None:
    """Weights are (regressor, channel), so that the inner loops run along memory."""
    n = len(mags)
    row, error = np.empty(n), np.empty(n)
    flat = line.reshape(line.size)
    size = len(flat)
    gain_vector = np.empty(size)
    for t in range(x.shape[0]):
        regressors(x, bad, t, refs, mix, gain, slow, held, line)
        row[:] = 0.0
        for k in range(size):
            value = flat[k]
            for c in range(n):
                row[c] += weights[k, c] * value
        for c in range(n):
            value = x[t, mags[c]]
            out[t, mags[c]] = value - row[c]
            if bad[t, mags[c]] or not np.isfinite(value):
                error[c] = 0.0
                continue
            if np.isnan(mag_slow[c]):
                mag_slow[c] = value
            mag_slow[c] += gain * (value - mag_slow[c])
            error[c] = believed(value - mag_slow[c] - row[c], c, clip, scale_gain, scale)
        _learn(flat, forget, spread, gain_vector)
        for k in range(size):
            value = gain_vector[k]
            for c in range(n):
                weights[k, c] += value * error[c]
