"""Some columns of a block side by side, as kernels in lanes take them, and back again."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag._lanes import LANES, element, load, store
from zeromag.filters.bad_samples import all_good


@kernel
def _copied(source: F64, at: int, n: int, to: F64, place: int) -> None:
    """Copy `n` elements that follow on each other, from element `at` to element `place`."""
    whole = n // LANES * LANES
    for c in range(0, whole, LANES):
        store(to, place + c, load(source, at + c))
    for c in range(whole, n):
        to[(place + c) // to.shape[1], (place + c) % to.shape[1]] = element(source, at + c)


@kernel
def packed(x: F64, bad: BOOL, start: int, stop: int, columns: I64, rows: F64, trust: F64) -> None:
    """Write some columns of samples `start:stop` side by side; `trust` is 1 where a sample is good and 0 elsewhere."""
    n = len(columns)
    if n == 0:
        return
    low = columns[0]
    together = columns[n - 1] - low == n - 1
    good = together and all_good(x, bad, low, n)
    for t in range(start, stop):
        row, sure = rows[t - start], trust[t - start]
        if good:
            _copied(x, t * x.shape[1] + low, n, rows, (t - start) * rows.shape[1])
            sure[:n] = 1.0
            continue
        for c in range(n):
            row[c] = x[t, columns[c]]
            sure[c] = 0.0 if bad[t, columns[c]] or not np.isfinite(row[c]) else 1.0


@kernel
def unpacked(rows: F64, start: int, columns: I64, out: F64) -> None:
    """Write the columns back to where they came from."""
    n = len(columns)
    together = n > 0 and columns[n - 1] - columns[0] == n - 1
    for t in range(len(rows)):
        row, to = rows[t], out[start + t]
        if together:
            _copied(rows, t * rows.shape[1], n, out, (start + t) * out.shape[1] + columns[0])
        else:
            for c in range(n):
                to[columns[c]] = row[c]
