"""What this machine can do at best, measured in the run whose figures it stands beside: `python -m benchmarks.limits`.

Multiply-adds a second of one core, three vectors of sixteen float64 that wait for nobody; and bytes a second between
the core and memory, a sum of two arrays of 64 MB into a third (two read, one written).
"""

from __future__ import annotations

import time

import numpy as np

from zeromag._jit import F64, kernel
from zeromag._lanes import LANES, fma, load, splat, store

CHAIN, TURNS = 20_000, 9
BIG = 8 << 20  # float64: 64 MB, far beyond any cache


@kernel
def multiply_add(values: F64, times: int) -> None:
    """Multiply and add as fast as the processor can: three vectors of sixteen that wait for nobody."""
    a, b, c = load(values, 0), load(values, LANES), load(values, 2 * LANES)
    scale, more = splat(0.999), splat(1e-3)
    for _ in range(times):
        a, b, c = fma(a, scale, more), fma(b, scale, more), fma(c, scale, more)
    store(values, 0, a)
    store(values, LANES, b)
    store(values, 2 * LANES, c)


@kernel
def _triad(one: F64, two: F64, out: F64) -> None:
    for k in range(out.shape[0]):
        out[k] = one[k] + 0.5 * two[k]


def limits() -> dict[str, float]:
    """Return multiply-adds (G/s) and memory bandwidth (GB/s) of one core, the best of some turns of CPU time."""
    values, big = np.ones(3 * LANES), [np.ones(BIG) for _ in range(3)]
    multiply_add(values, 1)
    _triad(big[0][:1], big[1][:1], big[2][:1])
    flops, bandwidth = [], []
    for _ in range(TURNS):
        begin = time.thread_time()
        multiply_add(values, CHAIN)
        flops.append(3 * LANES * CHAIN / (time.thread_time() - begin))
        begin = time.thread_time()
        _triad(*big)
        bandwidth.append(3 * 8 * BIG / (time.thread_time() - begin))
    return {"multiply_adds_G_s": round(max(flops) / 1e9, 1), "memory_GB_s": round(max(bandwidth) / 1e9, 1)}


if __name__ == "__main__":
    print(limits())
