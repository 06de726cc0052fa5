"""The value of a rank among a few, in a kernel: no sorting, no copy."""

from __future__ import annotations

from zeromag._jit import F64, kernel


@kernel
def ranked(values: F64, count: int, rank: int) -> float:
    """Return the value of this rank, counted from 0, and leave no smaller one behind it (quickselect, Hoare 1961)."""
    low, high = 0, count - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return float(values[rank])


@kernel
def median_of(values: F64, count: int) -> float:
    """Return the median of the first `count` values, at least one, and leave them in another order."""
    above = ranked(values, count, count // 2)
    if count % 2:
        return above
    below = values[0]  # what lies before the rank is no larger
    for k in range(1, count // 2):
        below = max(below, values[k])
    return float(0.5 * (below + above))
