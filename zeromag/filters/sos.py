"""The one kernel of all recursive filters: biquads in a row, settled from the first sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, compiled, kernel
from zeromag._lanes import LANES, fma, load, splat, store
from zeromag.block import Block
from zeromag.filters.bad_samples import NO_MASK, all_good
from zeromag.sensors import Kind

HOLD_S = 0.1  # longest run of bad samples bridged by the last good value; after a longer one the channel starts anew
FILTERED: tuple[Kind, ...] = ("mag", "ref", "ecg")  # all of them, so that they stay aligned in time
LOW, CHANNELS, SECTIONS, FIRST = range(4)  # places in what is carried: see `Cascade`
PACKED = 64  # samples that go from section to section at a time: 8 KiB, a quarter of the fastest cache


@kernel
def _section(
    x: F64, at: int, stride: int, out: F64, to: int, onward: int, count: int, carried: F64, k: int, g: int
) -> None:
    """Carry sixteen channels through biquad `k`, transposed direct form II, their state in registers.

    Sample `t` is read at `at + t·stride` and written at `to + t·onward`.
    """
    sections = int(carried[SECTIONS])
    design, place = FIRST + 5 * k, FIRST + 5 * sections + (g * sections + k) * 2 * LANES
    b0, b1, b2 = splat(carried[design]), splat(carried[design + 1]), splat(carried[design + 2])
    a1, a2 = splat(carried[design + 3]), splat(carried[design + 4])
    one, two = load(carried, place), load(carried, place + LANES)
    for _ in range(count):
        value = load(x, at)
        y = fma(b0, value, one)
        one = fma(a1, y, fma(b1, value, two))
        two = fma(b2, value, a2 * y)
        store(out, to, y)
        at += stride
        to += onward
    store(carried, place, one)
    store(carried, place + LANES, two)


@kernel
def biquads(x: F64, at: int, stride: int, out: F64, to: int, samples: int, carried: F64, g: int, packed: F64) -> None:
    """Filter sixteen channels from place `at` of `x` into those from `to` of `out`, rows `stride` apart.

    `g` says which sixteen of those carried. What lies between two sections is kept in `packed`: rows of 512 channels
    are 4 KiB apart, which throws each other out of the cache.
    """
    last = int(carried[SECTIONS]) - 1
    for begin in range(0, samples, PACKED):
        count = min(PACKED, samples - begin)
        if last == 0:
            _section(x, at, stride, out, to, stride, count, carried, 0, g)
        else:
            _section(x, at, stride, packed, 0, LANES, count, carried, 0, g)
            for k in range(1, last):
                _section(packed, 0, LANES, packed, 0, LANES, count, carried, k, g)
            _section(packed, 0, LANES, out, to, stride, count, carried, last, g)
        at += PACKED * stride
        to += PACKED * stride


@kernel
def _steady(x: F64, carried: F64, out: F64) -> bool:
    """Filter a block of channels side by side that have all begun; False if a sample is no number."""
    samples, low, n = x.shape[0], int(carried[LOW]), int(carried[CHANNELS])
    if not all_good(x, NO_MASK, low, n):
        return False
    whole = n // LANES
    packed = np.empty((PACKED, LANES))
    for g in range(whole):
        at = low + g * LANES
        biquads(x, at, x.shape[1], out, at, samples, carried, g, packed)
    if whole * LANES < n:
        rest = np.zeros((samples, LANES))
        for t in range(samples):
            for c in range(whole * LANES, n):
                rest[t, c - whole * LANES] = x[t, low + c]
        biquads(rest, 0, LANES, rest, 0, samples, carried, whole, packed)
        for t in range(samples):
            for c in range(whole * LANES, n):
                out[t, low + c] = rest[t, c - whole * LANES]
    held = len(carried) - n
    for c in range(n):
        carried[held + c] = x[samples - 1, low + c]
    return True


@kernel
def _fill(
    x: F64, bad: BOOL, first: int, columns: I64, rest: F64, hold: int, state: F64, held: F64, missed: I64, rows: F64
) -> int:
    """Write the samples from `first` on into `rows` until a channel has to start, and return where that is."""
    n = len(columns)
    for t in range(first, x.shape[0]):
        if t > first:
            for c in range(n):
                if missed[c] > hold and not bad[t, columns[c]] and np.isfinite(x[t, columns[c]]):
                    return t
        for c in range(n):
            value = x[t, columns[c]]
            if bad[t, columns[c]] or not np.isfinite(value):
                missed[c] += missed[c] <= hold
                rows[t, c] = held[c]
                continue
            if missed[c] > hold:  # only in the first row of a part
                for k in range(len(rest)):
                    state[c // LANES, k, 0, c % LANES] = rest[k, 0] * value
                    state[c // LANES, k, 1, c % LANES] = rest[k, 1] * value
            missed[c] = 0
            held[c] = value
            rows[t, c] = value
    return int(x.shape[0])


@kernel
def _cascade(
    x: F64, bad: BOOL, columns: I64, carried: F64, rest: F64, hold: int, state: F64, held: F64, missed: I64, out: F64
) -> bool:
    """Filter `columns` of `x` into `out` whatever is bad; return whether all channels have begun and none misses.

    A bad sample repeats the last good one. A channel that has not started, or was bad for more than `hold`
    samples, starts settled on its next good sample; the block is filtered in parts between such starts.
    """
    samples, n = x.shape[0], len(columns)
    width = len(state) * LANES
    rows, packed = np.zeros((samples, width)), np.empty((PACKED, LANES))
    first = 0
    while first < samples:
        stop = _fill(x, bad, first, columns, rest, hold, state, held, missed, rows)
        for g in range(len(state)):
            at = first * width + g * LANES
            biquads(rows, at, width, rows, at, stop - first, carried, g, packed)
        first = stop
    for t in range(samples):
        for c in range(n):
            out[t, columns[c]] = rows[t, c]
    return bool(np.all(missed == 0))


class Cascade:
    """Running biquads on every magnetic and ECG channel of a stream.

    What a kernel reads and carries on is one array, since looking at each costs as much as a sample of 64 channels:
    first column, channels, sections; b0, b1, b2, -a1, -a2 of each; state (16 channels, section, 2, 16); last values.
    """

    def __init__(self, sections: NDArray[np.float64], head: Block) -> None:
        from scipy.signal import sosfilt_zi

        self._rest = np.ascontiguousarray(sosfilt_zi(sections))
        self._columns = head.sensors.of_kind(*FILTERED)
        self._hold = round(HOLD_S * head.rate)
        self._n = n = len(self._columns)
        low = int(self._columns[0]) if n else 0
        design = sections[:, [0, 1, 2, 4, 5]] * [1.0, 1.0, 1.0, -1.0, -1.0]
        shape = (-(-n // LANES), len(sections), 2, LANES)
        begin = FIRST + design.size
        self._carried = np.concatenate([[low, n, len(sections)], design.ravel(), np.zeros(math.prod(shape) + n)])
        self._state = self._carried[begin : begin + math.prod(shape)].reshape(shape)
        self._held = self._carried[begin + math.prod(shape) :]
        self._missed = np.full(n, self._hold + 1, dtype=np.int64)
        self._side_by_side = n > 0 and int(self._columns[-1]) - low == n - 1
        self._all = n == len(head.sensors)
        self._begun = False
        self._steady = compiled(_steady, head.data, self._carried, np.empty(head.data.shape))

    def __call__(self, block: Block) -> Block:
        """Return the block filtered."""
        return block.with_data(self.filtered(block.data, block.mask)) if self._n else block

    def filtered(self, x: NDArray[np.float64], mask: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return samples (n_samples, n_channels) filtered, the state carried on; `mask` is True where they are bad."""
        out = np.empty(x.shape) if self._all else x.copy()
        if self._begun and (mask is None or not mask.any()) and self._steady(x, self._carried, out):
            return out
        bad = np.zeros(x.shape, dtype=np.bool_) if mask is None else mask
        run = self._columns, self._carried, self._rest, self._hold, self._state, self._held, self._missed
        self._begun = _cascade(x, bad, *run, out) and self._side_by_side
        return out


def check_corner(corner: float, rate: float) -> None:
    """Raise ValueError unless a corner frequency lies between 0 and half the rate."""
    if not 0 < corner < rate / 2:
        raise ValueError(f"a corner must lie between 0 and {rate / 2:g} Hz, half the rate, got {corner:g} Hz")


def check_order(order: int) -> None:
    """Raise ValueError unless an order is one that a recursive filter carries without rounding trouble."""
    if not 1 <= order <= 8:
        raise ValueError(f"an order must be 1 to 8, got {order}")
