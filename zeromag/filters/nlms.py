"""NLMS: follow the references with a step normalised by their power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, fma, load, splat, store
from zeromag.block import Block
from zeromag.filters.packed import packed, unpacked
from zeromag.filters.references import Learning, Memory, errors, learning, predicted, regressors, remembering
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
        memory = remembering(head.sensors, head.rate, self)
        weights = np.zeros((memory.line.size, len(memory.mag_slow)))
        return learning(_nlms, head, memory, float(self.step), weights)


@kernel
def _taught_and_said(weights: F64, direction: F64, much: float, error: F64, following: F64, row: F64) -> None:
    """Do as `taught` and then as `predicted` for the regressors that follow, in one pass over the weights."""
    width = len(error)
    for c in range(0, width, LANES):
        wrong, total = load(error, c), splat(0.0)
        for k in range(len(direction)):
            place = k * width + c
            weight = fma(splat(much * direction[k]), wrong, load(weights, place))
            store(weights, place, weight)
            total = fma(weight, splat(following[k]), total)
        store(row, c, total)


@kernel
def _nlms(x: F64, bad: BOOL, memory: Memory, step: float, weights: F64, out: F64) -> None:
    """Weights are (regressor, width), so that the inner loops run along memory."""
    samples, width = x.shape[0], weights.shape[1]
    rows, trust = np.zeros((samples, width)), np.zeros((samples, width))
    row, error = np.empty(width), np.empty(width)
    packed(x, bad, 0, samples, memory.mags, rows, trust)
    regressor = memory.line.reshape(memory.line.size)
    known = np.empty((samples, len(regressor)))
    for t in range(samples):
        regressors(x, bad, t, memory)
        known[t] = regressor
    predicted(weights, known[0], row)
    for t in range(samples):
        power = 1e-40  # T², far below any sensor's noise: only keeps 0/0 away
        for k in range(len(regressor)):
            power += known[t, k] * known[t, k]
        errors(rows, trust, t * width, row, memory, error)
        _taught_and_said(weights, known[t], step / power, error, known[min(t + 1, samples - 1)], row)
    unpacked(rows, 0, memory.mags, out)
