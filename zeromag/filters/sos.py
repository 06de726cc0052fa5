"""The one kernel of all recursive filters: biquads in a row, settled from the first sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.sensors import Kind

HOLD_S = 0.1  # longest run of bad samples bridged by the last good value; after a longer one the channel starts anew
FILTERED: tuple[Kind, ...] = ("mag", "ref", "ecg")  # all of them, so that they stay aligned in time


@kernel
def biquads(rows: F64, sections: F64, state: F64) -> None:
    """Filter `rows` (sample, channel) in place; `state` is (section, 2, channel).

    Transposed direct form II, section by section, five samples at a time with the state of a channel in
    registers: 2.2 times as fast as sample by sample, since the state goes to memory a fifth as often.
    """
    samples, n = rows.shape
    whole = samples // 5 * 5
    for k in range(sections.shape[0]):
        b0, b1, b2 = sections[k, 0], sections[k, 1], sections[k, 2]
        a1, a2 = sections[k, 4], sections[k, 5]
        one, two = state[k, 0], state[k, 1]
        for t in range(0, whole, 5):
            row0, row1, row2, row3, row4 = rows[t], rows[t + 1], rows[t + 2], rows[t + 3], rows[t + 4]
            for c in range(n):
                u, w = one[c], two[c]
                x = row0[c]
                y = b0 * x + u
                u, w = b1 * x - a1 * y + w, b2 * x - a2 * y
                row0[c] = y
                x = row1[c]
                y = b0 * x + u
                u, w = b1 * x - a1 * y + w, b2 * x - a2 * y
                row1[c] = y
                x = row2[c]
                y = b0 * x + u
                u, w = b1 * x - a1 * y + w, b2 * x - a2 * y
                row2[c] = y
                x = row3[c]
                y = b0 * x + u
                u, w = b1 * x - a1 * y + w, b2 * x - a2 * y
                row3[c] = y
                x = row4[c]
                y = b0 * x + u
                u, w = b1 * x - a1 * y + w, b2 * x - a2 * y
                row4[c] = y
                one[c], two[c] = u, w
        for t in range(whole, samples):
            row0 = rows[t]
            for c in range(n):
                x = row0[c]
                y = b0 * x + one[c]
                one[c] = b1 * x - a1 * y + two[c]
                two[c] = b2 * x - a2 * y
                row0[c] = y


@kernel
def _plain(x: F64, bad: BOOL, low: int, n: int, hold: int, missed: I64) -> bool:
    """Return whether every sample of these neighbouring columns is good and no channel waits for its first."""
    flaws = 0
    for c in range(n):
        flaws += missed[c] > hold
    for t in range(x.shape[0]):
        for c in range(n):
            value = x[t, low + c]
            flaws += bad[t, low + c]
            flaws += value - value != 0.0  # inf - inf and NaN - NaN are NaN
    return bool(flaws == 0)


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
                    state[k, 0, c] = rest[k, 0] * value
                    state[k, 1, c] = rest[k, 1] * value
            missed[c] = 0
            held[c] = value
            rows[t, c] = value
    return int(x.shape[0])


@kernel
def _cascade(
    x: F64, bad: BOOL, columns: I64, sections: F64, rest: F64, hold: int, state: F64, held: F64, missed: I64, out: F64
) -> None:
    """Filter `columns` of `x` into `out`; `state` is (section, 2, column), `rest` the same for a constant 1.

    A bad sample repeats the last good one. A channel that has not started, or was bad for more than `hold`
    samples, starts settled on its next good sample; the block is filtered in parts between such starts.
    """
    samples, n = x.shape[0], len(columns)
    low = columns[0]
    if columns[n - 1] - low == n - 1 and _plain(x, bad, low, n, hold, missed):
        for c in range(n):
            held[c] = x[samples - 1, low + c]
            missed[c] = 0
        if n == x.shape[1]:
            out[:] = x
            biquads(out, sections, state)
            return
        rows = x[:, low : low + n].copy()
        biquads(rows, sections, state)
        out[:, low : low + n] = rows
        return
    rows = np.empty((samples, n))
    first = 0
    while first < samples:
        stop = _fill(x, bad, first, columns, rest, hold, state, held, missed, rows)
        biquads(rows[first:stop], sections, state)
        first = stop
    for t in range(samples):
        for c in range(n):
            out[t, columns[c]] = rows[t, c]


class Cascade:
    """Running biquads on every magnetic and ECG channel of a stream."""

    def __init__(self, sections: NDArray[np.float64], head: Block) -> None:
        from scipy.signal import sosfilt_zi

        self.sections = np.ascontiguousarray(sections, dtype=np.float64)  # (n_sections, 6)
        self._rest = np.ascontiguousarray(sosfilt_zi(self.sections))
        self._columns = head.sensors.of_kind(*FILTERED)
        self._hold = round(HOLD_S * head.rate)
        n = len(self._columns)
        self._state = np.zeros((len(self.sections), 2, n))
        self._held = np.zeros(n)
        self._missed = np.full(n, self._hold + 1, dtype=np.int64)

    def __call__(self, block: Block) -> Block:
        """Return the block filtered."""
        if len(self._columns) == 0:
            return block
        out = block.data.copy()
        _cascade(
            block.data,
            bad_samples(block),
            self._columns,
            self.sections,
            self._rest,
            self._hold,
            self._state,
            self._held,
            self._missed,
            out,
        )
        return block.with_data(out)


def check_corner(corner: float, rate: float) -> None:
    """Raise ValueError unless a corner frequency lies between 0 and half the rate."""
    if not 0 < corner < rate / 2:
        raise ValueError(f"a corner must lie between 0 and {rate / 2:g} Hz, half the rate, got {corner:g} Hz")


def check_order(order: int) -> None:
    """Raise ValueError unless an order is one that a recursive filter carries without rounding trouble."""
    if not 1 <= order <= 8:
        raise ValueError(f"an order must be 1 to 8, got {order}")
