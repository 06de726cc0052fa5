"""A spatial operator applied to samples, sixteen channels at a time, in a fixed order of summation."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, element, fma, load, load_half, splat, splat_half, store
from zeromag.filters.bad_samples import all_good


@kernel
def _gather(x: F64, at: int, stride: int, right: F64, rank: int, middle: F64, samples: int) -> None:
    """Write `middle` (sample, rank) = right·x for up to four samples; `right` is (channel, rank).

    Eight sums of each sample stay in registers; they are added up channel by channel, whatever the sample's company.
    """
    second, third, fourth = min(1, samples - 1) * stride, min(2, samples - 1) * stride, (samples - 1) * stride
    for k in range(0, rank, 8):
        m0, m1, m2, m3 = splat_half(0.0), splat_half(0.0), splat_half(0.0), splat_half(0.0)
        for c in range(stride):
            weights = load_half(right, c * rank + k)
            m0 = fma(weights, splat_half(element(x, at + c)), m0)
            m1 = fma(weights, splat_half(element(x, at + second + c)), m1)
            m2 = fma(weights, splat_half(element(x, at + third + c)), m2)
            m3 = fma(weights, splat_half(element(x, at + fourth + c)), m3)
        store(middle, 3 * rank + k, m3)
        store(middle, 2 * rank + k, m2)
        store(middle, rank + k, m1)
        store(middle, k, m0)


@kernel
def _spread(
    x: F64, at: int, stride: int, c: int, left: F64, keep: F64, add: F64, middle: F64, m: int, rank: int, out: F64
) -> None:
    """Write sixteen channels of two samples: out = keep·x + add + left·middle[m:]; `left` is (rank, channel)."""
    scale, offset = load(keep, c), load(add, c)
    one, two = fma(scale, load(x, at), offset), fma(scale, load(x, at + stride), offset)
    for k in range(rank):
        weights = load(left, k * len(keep) + c)
        one = fma(weights, splat(middle[m + k]), one)
        two = fma(weights, splat(middle[m + rank + k]), two)
    store(out, at, one)
    store(out, at + stride, two)


@kernel
def _operate(x: F64, right: F64, left: F64, keep: F64, add: F64, out: F64) -> None:
    """Apply an operator to finite samples, four at a time; its arrays are as wide as whole lanes."""
    samples, n = x.shape
    rank, width = right.shape[1], len(keep)
    middle = np.zeros(4 * rank + 8)
    some, other = np.zeros((4, width)), np.zeros((4, width))  # for what does not fill the lanes
    whole = n // LANES * LANES if n == width else 0
    for t in range(0, samples, 4):
        count = min(4, samples - t)
        _gather(x, t * n, n, right, rank, middle, count)
        pairs = count // 2 if whole else 0
        for half in range(pairs):
            for c in range(0, width, LANES):
                place, m = (t + 2 * half) * n + c, 2 * half * rank
                _spread(x, place, n, c, left, keep, add, middle, m, rank, out)
        if 2 * pairs == count:
            continue
        for s in range(2 * pairs, count):
            for c in range(n):
                some[s, c] = x[t + s, c]
        for c in range(0, width, LANES):
            for half in range(pairs, 2):
                place, m = 2 * half * width + c, 2 * half * rank
                _spread(some, place, width, c, left, keep, add, middle, m, rank, other)
        for s in range(2 * pairs, count):
            for c in range(n):
                out[t + s, c] = other[s, c]


@kernel
def operate_around(x: F64, start: int, stop: int, right: F64, left: F64, keep: F64, add: F64, out: F64) -> None:
    """Do so for samples `start:stop` where channels may hold what is no number; unless explained, it stays."""
    n = x.shape[1]
    rows, found = np.zeros((stop - start, n)), np.empty((stop - start, n))
    for t in range(start, stop):
        for c in range(n):
            if np.isfinite(x[t, c]):
                rows[t - start, c] = x[t, c]
    _operate(rows, right, left, keep, add, found)
    for t in range(start, stop):
        for c in range(n):
            lost = not np.isfinite(x[t, c]) and keep[c] != 0.0
            out[t, c] = x[t, c] if lost else found[t - start, c]


@kernel
def summed(x: F64, start: int, stop: int, bad: BOOL, total: F64, count: F64) -> None:
    """Add up the finite samples of every channel: (2, width) sums and counts, good ones first, then those of bad ones.

    Where a channel is while it is bad says where it will be when it comes back.
    """
    for t in range(start, stop):
        for c in range(x.shape[1]):
            if np.isfinite(x[t, c]):
                which = 1 if bad[c] else 0
                total[which, c] += x[t, c]
                count[which, c] += 1.0


@kernel
def _summed_steadily(x: F64, total: F64, count: F64) -> None:
    """Do the same where every sample is good."""
    samples, n = x.shape
    whole = n // LANES * LANES
    for c in range(0, whole, LANES):
        now = load(total, c)
        for t in range(samples):
            now = now + load(x, t * n + c)
        store(total, c, now)
        store(count, c, load(count, c) + splat(float(samples)))
    for c in range(whole, n):
        for t in range(samples):
            total[0, c] += x[t, c]
        count[0, c] += samples


@kernel
def unlike(x: F64, mask: BOOL, bad: BOOL) -> int:
    """Return how many samples are good where the pattern says bad, or the reverse."""
    count = 0
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            value = x[t, c]
            now = (value - value != 0.0) | mask[t, c]  # inf - inf and NaN - NaN are NaN
            count += now != bad[c]
    return int(count)


@kernel
def steady(x: F64, mask: BOOL, right: F64, left: F64, keep: F64, add: F64, total: F64, count: F64, out: F64) -> bool:
    """Apply the operator to a block without any bad sample, and add it to the sums; False if it is not one."""
    if not all_good(x, mask, 0, x.shape[1]):
        return False
    _operate(x, right, left, keep, add, out)
    _summed_steadily(x, total, count)
    return True
