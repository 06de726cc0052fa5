"""Spatial operators in a stream: planned per pattern of bad channels, applied in a fixed order of summation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.sensors import SensorArray

BASELINE_S = 1.0  # memory of the baseline that keeps a change of plan from leaving a step
SNAPSHOT_S = 0.5  # the baseline used is at least this old: a failing channel has not spoiled it yet
PLANS = 256  # patterns of bad channels kept


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One linear step on channels: `y[outputs] = keep·x[outputs] + left (right x[inputs])`."""

    inputs: NDArray[np.int64]  # (n_in,) columns read
    outputs: NDArray[np.int64]  # (n_out,) columns written
    left: NDArray[np.float64]  # (n_out, rank)
    right: NDArray[np.float64]  # (rank, n_in)
    keep: float = 1.0

    def matrix(self, n_channels: int) -> NDArray[np.float64]:
        """Return the same as one matrix on all channels: (n_channels, n_channels)."""
        full = np.eye(n_channels)
        full[self.outputs, self.outputs] = self.keep
        full[np.ix_(self.outputs, self.inputs)] += self.left @ self.right
        return full

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs for one sample (n_channels,): (n_out,)."""
        result: NDArray[np.float64] = self.left @ (self.right @ values[self.inputs])
        return result + self.keep * values[self.outputs] if self.keep else result


Plan = Callable[[NDArray[np.bool_]], Operator]  # from the good channels (n_channels,)


def nothing() -> Operator:
    """Return the operator that changes no channel."""
    none = np.zeros(0, dtype=np.int64)
    return Operator(inputs=none, outputs=none, left=np.zeros((0, 0)), right=np.zeros((0, 0)))


@kernel
def _gather(row: F64, inputs: I64, right: F64, middle: F64) -> None:
    """Write `middle` = right·row[inputs]; `right` is (n_in, rank), its rank a multiple of eight.

    Eight sums at a time stay in registers; the order of addition is the same for every sample.
    """
    for k in range(0, right.shape[1], 8):
        m0, m1, m2, m3, m4, m5, m6, m7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for c in range(len(inputs)):
            value = row[inputs[c]]
            m0 += right[c, k] * value
            m1 += right[c, k + 1] * value
            m2 += right[c, k + 2] * value
            m3 += right[c, k + 3] * value
            m4 += right[c, k + 4] * value
            m5 += right[c, k + 5] * value
            m6 += right[c, k + 6] * value
            m7 += right[c, k + 7] * value
        middle[k], middle[k + 1], middle[k + 2], middle[k + 3] = m0, m1, m2, m3
        middle[k + 4], middle[k + 5], middle[k + 6], middle[k + 7] = m4, m5, m6, m7


@kernel
def _spread(
    x: F64, start: int, stop: int, inputs: I64, outputs: I64, right: F64, left: F64, keep: float, add: F64, out: F64
) -> None:
    """Write `out`; `right` is (n_in, rank) and `left` (rank, n_out), so that each inner loop runs along memory."""
    rank, n_out = left.shape
    middle, row = np.empty(rank), np.empty(n_out)
    for t in range(start, stop):
        _gather(x[t], inputs, right, middle)
        row[:] = add
        for k in range(0, rank, 4):
            m0, m1, m2, m3 = middle[k], middle[k + 1], middle[k + 2], middle[k + 3]
            left0, left1, left2, left3 = left[k], left[k + 1], left[k + 2], left[k + 3]
            for c in range(n_out):
                row[c] += (left0[c] * m0 + left1[c] * m1) + (left2[c] * m2 + left3[c] * m3)
        if keep == 0.0:  # not 0·x: a bad channel may hold NaN
            for c in range(n_out):
                out[t, outputs[c]] = row[c]
        else:
            for c in range(n_out):
                out[t, outputs[c]] = keep * x[t, outputs[c]] + row[c]


@kernel
def _baseline(x: F64, start: int, stop: int, gain: float, slow: F64, older: F64) -> None:
    for t in range(start, stop):
        for c in range(x.shape[1]):
            if np.isfinite(x[t, c]):
                if np.isnan(older[c]):  # the first second: better the first sample than none
                    older[c] = x[t, c]
                slow[c] = x[t, c] if np.isnan(slow[c]) else slow[c] + gain * (x[t, c] - slow[c])


@kernel
def _settled_baseline(x: F64, start: int, stop: int, gain: float, slow: F64) -> None:
    """Do the same where every sample is finite and every channel has begun."""
    for t in range(start, stop):
        for c in range(x.shape[1]):
            slow[c] += gain * (x[t, c] - slow[c])


@kernel
def _unlike(x: F64, mask: BOOL, bad: BOOL) -> int:
    """Return how many samples are good where the pattern says bad, or the reverse."""
    count = 0
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            value = x[t, c]
            now = (value - value != 0.0) | mask[t, c]  # inf - inf and NaN - NaN are NaN
            count += now != bad[c]
    return int(count)


class SpatialStep:
    """A running spatial operator.

    When the pattern of bad channels changes, the operator is planned anew for exactly those samples, and the
    outputs get the offset that keeps their slow part where it was: raw channels have offsets that no field
    model explains, and without it every channel would step when one drops out.
    """

    def __init__(self, plan: Plan, head: Block) -> None:
        self._plan = plan
        self._usable = head.sensors.usable()
        self._bad = np.zeros(len(head.sensors), dtype=np.bool_)  # the pattern of the sample before
        self._stale = False
        self._begun = False  # every channel has a baseline
        self._origin = head.first
        self._gain = 1.0 / (BASELINE_S * head.rate)
        self._every = max(1, round(SNAPSHOT_S * head.rate))
        self._slow = np.full(len(head.sensors), np.nan)
        self._known: dict[bytes, _Ready] = {}
        self._now: _Ready | None = None
        self._recent, self._older = self._slow.copy(), self._slow.copy()
        self._offset = np.zeros(len(head.sensors))
        self.planned = 0

    def __call__(self, block: Block) -> Block:
        """Return the block with the operator applied."""
        x, mask = block.data, bad_samples(block)
        out = x.copy()
        due = self._every - (block.first - self._origin) % self._every  # samples to the next baseline
        known = self._now is not None and not self._stale
        if known and due >= len(x) and _unlike(x, mask, self._bad) == 0:  # as most blocks are
            self._apply(x, 0, len(x), out)
            self._remember(x, 0, len(x), block.first)
            return block.with_data(out)
        bad = mask | ~np.isfinite(x)
        for start, stop in self._runs(bad, block.first):
            self._use(bad[start])
            self._apply(x, start, stop, out)
            self._remember(x, start, stop, block.first)
        return block.with_data(out)

    def replan(self, plan: Plan) -> None:
        """Use another plan from the next sample on; the slow part of every output stays where it is."""
        self._plan = plan
        self._known.clear()
        self._stale = True

    def _runs(self, bad: NDArray[np.bool_], first: int) -> list[tuple[int, int]]:
        """Return the parts of a block with one pattern of bad channels and one baseline."""
        length = len(bad)
        edges = {0, length}
        edges.update((np.flatnonzero((bad[1:] != bad[:-1]).any(axis=1)) + 1).tolist())
        edges.update(range(-(first - self._origin) % self._every, length, self._every))
        ordered = sorted(edges)
        return list(pairwise(ordered))

    def _use(self, bad: NDArray[np.bool_]) -> None:
        """Switch to the plan for this pattern of bad channels, keeping the slow part of every output."""
        if self._now is not None and not self._stale and np.array_equal(bad, self._bad):
            return
        self._stale = False
        self._bad = bad.copy()
        good = ~bad & self._usable
        key = good.tobytes()
        ready = self._known.pop(key, None)
        if ready is None:
            ready = _Ready(self._plan(good))
            self.planned += 1
            if len(self._known) >= PLANS:
                del self._known[next(iter(self._known))]
        self._known[key] = ready  # the newest last, so that the first is the one to forget
        before = self._now
        if before is not None and before is not ready:
            base = np.nan_to_num(self._older)
            was, will = base.copy(), base.copy()
            was[before.operator.outputs] = before.operator.apply(base)
            will[ready.operator.outputs] = ready.operator.apply(base)
            self._offset += was - will
        self._now = ready

    def _apply(self, x: NDArray[np.float64], start: int, stop: int, out: NDArray[np.float64]) -> None:
        if (ready := self._now) is None or len(ready.operator.outputs) == 0:
            return
        op = ready.operator
        add = self._offset[op.outputs]
        _spread(x, start, stop, op.inputs, op.outputs, ready.right, ready.left, op.keep, add, out)

    def _remember(self, x: NDArray[np.float64], start: int, stop: int, first: int) -> None:
        if self._begun and not self._bad.any():
            _settled_baseline(x, start, stop, self._gain, self._slow)
        else:
            _baseline(x, start, stop, self._gain, self._slow, self._older)
            self._begun = not (np.isnan(self._slow).any() or np.isnan(self._older).any())
        if (first + stop - self._origin) % self._every == 0:
            self._older, self._recent = self._recent, self._slow.copy()


class _Ready:
    """An operator laid out for the kernel, its rank filled up with zeros to a multiple of eight."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        n_out, rank = operator.left.shape
        full = -(-rank // 8) * 8
        self.left = np.zeros((full, n_out))
        self.left[:rank] = operator.left.T
        self.right = np.zeros((operator.right.shape[1], full))
        self.right[:, :rank] = operator.right.T


def located(sensors: SensorArray, *kinds: str) -> NDArray[np.int64]:
    """Return the columns of these kinds that have a place and an axis: (n,) int64."""
    known = sensors.located()
    return np.array([c for c, kind in enumerate(sensors.kinds) if kind in kinds and known[c]], dtype=np.int64)
