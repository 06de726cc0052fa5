"""The one kernel of all recursive filters: biquads in a row, settled from the first sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.sensors import Kind

HOLD_S = 0.1  # longest run of bad samples bridged by the last good value; after a longer one the channel starts anew
FILTERED: tuple[Kind, ...] = ("mag", "ref", "ecg")  # all of them, so that they stay aligned in time


@kernel
def _cascade(
    x: F64, bad: BOOL, columns: I64, sections: F64, rest: F64, hold: int, state: F64, held: F64, missed: I64, out: F64
) -> None:
    """Filter `columns` of `x` into `out`; `state` is (section, 2, column), `rest` the same for a constant 1.

    Transposed direct form II. A bad sample repeats the last good one. A channel that has not started, or was bad
    for more than `hold` samples, starts settled on its next good sample.
    """
    n_columns = len(columns)
    row = np.empty(n_columns)
    for t in range(x.shape[0]):
        for c in range(n_columns):
            value = x[t, columns[c]]
            if bad[t, columns[c]] or not np.isfinite(value):
                if missed[c] <= hold:
                    missed[c] += 1
                row[c] = held[c]
                continue
            if missed[c] > hold:
                for k in range(sections.shape[0]):
                    state[k, 0, c] = rest[k, 0] * value
                    state[k, 1, c] = rest[k, 1] * value
            missed[c] = 0
            held[c] = value
            row[c] = value
        for k in range(sections.shape[0]):
            b0, b1, b2 = sections[k, 0], sections[k, 1], sections[k, 2]
            a1, a2 = sections[k, 4], sections[k, 5]
            for c in range(n_columns):
                value = row[c]
                y = b0 * value + state[k, 0, c]
                state[k, 0, c] = b1 * value - a1 * y + state[k, 1, c]
                state[k, 1, c] = b2 * value - a2 * y
                row[c] = y
        for c in range(n_columns):
            out[t, columns[c]] = row[c]


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
        out = block.data.copy()
        _cascade(
            block.data,
            block.bad(),
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
