"""RLS: least squares on the references, forgetting slowly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, fma, load_half, splat_half, store
from zeromag.block import Block
from zeromag.filters.packed import packed, unpacked
from zeromag.filters.references import Learning, Memory, followed, learning, regressors, remembering
from zeromag.stage import Step

HALF = LANES // 2
UNSURE = 1e24  # 1/T²: a prior of weights of order 1 where errors are 1 pT


@dataclass(frozen=True, slots=True)
class Rls(Learning):
    """Recursive least squares: k = Px/(λ + x·Px),  w ← w + k e,  P ← (P - k xᵀP)/λ,  λ = 1 - 1/(rate·memory).

    One P serves all channels, since they share the regressors. A memory of 0.1 s takes 21 % of the heart, 10 s
    0.7 %; errors beyond `clip` times their usual size are clipped, so that a QRS does not steer.
    """

    blind: int = 3  # it finds what others overlook: blind to two patterns it would take 1.1 % of the QRS
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
        memory = remembering(head.sensors, head.rate, self)
        forget = 1.0 - 1.0 / (self.memory * head.rate)
        weights = np.zeros((memory.line.size, len(memory.mag_slow)))
        whole = -(-memory.line.size // HALF) * HALF
        spread = np.zeros((memory.line.size, whole))
        np.fill_diagonal(spread, UNSURE)
        return learning(_rls, head, memory, forget, spread, weights)


@kernel
def _learn(x: F64, forget: float, spread: F64, gain: F64) -> None:
    """Move P (`spread`) on by one regressor x, and write the gain vector k = Px/(λ + x·Px).

    P is (size, size), its rows filled up to whole halves of lanes. It stays symmetric to the bit, since
    (g_k·g_j)·s is (g_j·g_k)·s.
    """
    size, whole = spread.shape
    for j in range(0, whole, HALF):
        total = splat_half(0.0)
        for k in range(size):
            total = fma(load_half(spread, k * whole + j), splat_half(x[k]), total)
        store(gain, j, total)
    power = forget
    for k in range(size):
        power += x[k] * gain[k]
    share, remember, trace = splat_half(1.0 / power), splat_half(1.0 / forget), 0.0
    for k in range(size):
        one = splat_half(gain[k])
        for j in range(0, whole, HALF):
            place = k * whole + j
            store(spread, place, (load_half(spread, place) - (one * load_half(gain, j)) * share) * remember)
        trace += spread[k, k]
    gain /= power
    if not 0.0 < trace <= size * UNSURE:  # wound up while the references were silent
        spread[:, :] = 0.0
        for k in range(size):
            spread[k, k] = UNSURE


@kernel
def _rls(x: F64, bad: BOOL, memory: Memory, forget: float, spread: F64, weights: F64, out: F64) -> None:
    samples, (count, width) = x.shape[0], weights.shape
    rows, trust = np.zeros((samples, width)), np.zeros((samples, width))
    known, steps = np.empty((samples, count)), np.empty((samples, count))
    gain = np.empty(spread.shape[1])
    packed(x, bad, 0, samples, memory.mags, rows, trust)
    regressors(x, bad, 0, memory, known)
    for t in range(samples):
        _learn(known[t], forget, spread, gain)
        for k in range(count):
            steps[t, k] = gain[k]
    followed(rows, trust, known, steps, memory, weights)
    unpacked(rows, 0, memory.mags, out)
