"""NLMS: follow the references with a step normalised by their power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag.block import Block
from zeromag.filters.packed import packed, unpacked
from zeromag.filters.references import Learning, Memory, followed, learning, regressors, remembering
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
def _nlms(x: F64, bad: BOOL, memory: Memory, step: float, weights: F64, out: F64) -> None:
    samples, (count, width) = x.shape[0], weights.shape
    rows, trust = np.zeros((samples, width)), np.zeros((samples, width))
    known, steps = np.empty((samples, count)), np.empty((samples, count))
    packed(x, bad, 0, samples, memory.mags, rows, trust)
    regressors(x, bad, 0, memory, known)
    for t in range(samples):
        power = 1e-40  # T², far below any sensor's noise: only keeps 0/0 away
        for k in range(count):
            power += known[t, k] * known[t, k]
        for k in range(count):
            steps[t, k] = step / power * known[t, k]
    followed(rows, trust, known, steps, memory, weights)
    unpacked(rows, 0, memory.mags, out)
