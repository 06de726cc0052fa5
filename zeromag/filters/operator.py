"""Spatial operators in a stream: planned per pattern of bad channels, applied in a fixed order of summation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import compiled
from zeromag._lanes import LANES
from zeromag.block import Block
from zeromag.filters.bad_samples import NO_MASK, bad_samples
from zeromag.filters.level import Levels
from zeromag.filters.operate import operate_around, steady, unlike
from zeromag.sensors import SensorArray

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
        """Return the outputs for one sample (n_channels,), or several (n_channels, n): (n_out,) or (n_out, n)."""
        result: NDArray[np.float64] = self.left @ (self.right @ values[self.inputs])
        return result + self.keep * values[self.outputs] if self.keep else result


Plan = Callable[[NDArray[np.bool_]], Operator]  # from the good channels (n_channels,)


def nothing() -> Operator:
    """Return the operator that changes no channel."""
    none = np.zeros(0, dtype=np.int64)
    return Operator(inputs=none, outputs=none, left=np.zeros((0, 0)), right=np.zeros((0, 0)))


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
        self._any_bad = False
        self._stale = False
        self._levels = Levels(head)
        self._known: dict[bytes, _Ready] = {}
        self._now: _Ready | None = None
        self._offset = np.zeros(len(head.sensors))
        self._steady = self._compiled(head)
        self.planned = 0

    def __call__(self, block: Block) -> Block:
        """Return the block with the operator applied."""
        x, levels = block.data, self._levels
        ready = None if self._stale or levels.due(block.first) < len(x) else self._now
        if ready is not None and not self._any_bad:
            found = self.filtered(x, NO_MASK if block.mask is None else block.mask)
            if found is not None:
                levels.reach(block.stop)
                return block.with_data(found)
        out = np.empty(x.shape)
        mask = bad_samples(block)
        if ready is not None and unlike(x, mask, self._bad) == 0:
            self._apply(x, 0, len(x), out)
            self._remember(x, 0, len(x), block.first)
            return block.with_data(out)
        bad = mask | ~np.isfinite(x)
        for start, stop in self._runs(bad, block.first):
            self._use(bad[start], block.first + start)
            self._apply(x, start, stop, out)
            self._remember(x, start, stop, block.first)
        return block.with_data(out)

    def filtered(self, x: NDArray[np.float64], mask: NDArray[np.bool_] = NO_MASK) -> NDArray[np.float64] | None:
        """Return samples behind the operator that runs, or None unless all of them are good."""
        ready, levels, out = self._now, self._levels, np.empty(x.shape)
        if ready is None:
            return None
        sums = levels.total, levels.count
        return out if self._steady(x, mask, ready.right, ready.left, ready.keep, ready.add, *sums, out) else None

    def _compiled(self, head: Block) -> Callable[..., bool]:
        """Return the kernel for blocks like this one."""
        some = _Ready(nothing(), len(head.sensors))
        sums, out = self._levels.total, np.empty(head.data.shape)
        return compiled(steady, head.data, NO_MASK, some.right, some.left, some.keep, some.add, sums, sums, out)

    def replan(self, plan: Plan) -> None:
        """Use another plan from the next sample on; the slow part of every output stays where it is."""
        self._plan = plan
        self._known.clear()
        self._stale = True

    def _runs(self, bad: NDArray[np.bool_], first: int) -> list[tuple[int, int]]:
        """Return the parts of a block with one pattern of bad channels, in one piece of the levels."""
        length = len(bad)
        edges = {0, length}
        edges.update((np.flatnonzero((bad[1:] != bad[:-1]).any(axis=1)) + 1).tolist())
        edges.update(self._levels.edges(first, length))
        ordered = sorted(edges)
        return list(pairwise(ordered))

    def _use(self, bad: NDArray[np.bool_], sample: int) -> None:
        """Switch to the plan for this pattern of bad channels, keeping the slow part of every output."""
        if self._now is not None and not self._stale and np.array_equal(bad, self._bad):
            return
        self._stale = False
        changed, failing = not np.array_equal(bad, self._bad), bool((bad & ~self._bad).any())
        both = ~(bad | self._bad) & self._usable
        self._bad, self._any_bad = bad.copy(), bool(bad.any())
        good = ~bad & self._usable
        key = good.tobytes()
        ready = self._known.pop(key, None)
        if ready is None:
            ready = _Ready(self._plan(good), len(self._bad))
            self.planned += 1
            if len(self._known) >= PLANS:
                del self._known[next(iter(self._known))]
        self._known[key] = ready  # the newest last, so that the first is the one to forget
        before = self._now
        if before is not None and before is not ready:

            def moved(levels: NDArray[np.float64]) -> NDArray[np.float64]:
                was, will = levels.copy(), levels.copy()
                was[before.operator.outputs] = before.operator.apply(levels)
                will[ready.operator.outputs] = ready.operator.apply(levels)
                return was - will

            # those that learn plan twice a second, with the heart in the drift: its errors would add up
            self._offset += (
                self._levels.of(moved, sample, both, failing=failing) if changed else moved(self._levels.lately())
            )
        ready.place(self._offset)
        self._now = ready

    def _apply(self, x: NDArray[np.float64], start: int, stop: int, out: NDArray[np.float64]) -> None:
        if (ready := self._now) is not None:
            operate_around(x, start, stop, ready.right, ready.left, ready.keep, ready.add, out)

    def _remember(self, x: NDArray[np.float64], start: int, stop: int, first: int) -> None:
        self._levels.take(x, start, stop, self._bad)
        self._levels.reach(first + stop)


class _Ready:
    """An operator laid out for the kernel: all channels side by side, the rank filled up with zeros to whole halves."""

    def __init__(self, operator: Operator, channels: int) -> None:
        self.operator = operator
        rank = operator.left.shape[1]
        full, width = -(-rank // 8) * 8, -(-channels // LANES) * LANES
        self.left = np.zeros((full, width))
        self.left[:rank, operator.outputs] = operator.left.T
        self.right = np.zeros((channels, full))
        self.right[operator.inputs, :rank] = operator.right.T
        self.keep, self.add = np.ones(width), np.zeros(width)
        self.keep[operator.outputs] = operator.keep

    def place(self, offset: NDArray[np.float64]) -> None:
        """Take over the offset (n_channels,) that keeps the slow part of every channel where it was.

        Also of those that this operator leaves alone: one before it may have shifted them.
        """
        self.add[: len(offset)] = offset


def located(sensors: SensorArray, *kinds: str) -> NDArray[np.int64]:
    """Return the columns of these kinds that have a place and an axis: (n,) int64."""
    known = sensors.located()
    return np.array([c for c, kind in enumerate(sensors.kinds) if kind in kinds and known[c]], dtype=np.int64)
