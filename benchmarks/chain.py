"""What whole chains take of one core, block by block: `python -m benchmarks.chain [--most 2048]`.

Blocks of ten samples, timed by the thread's own clock after a third of the run; the 99th percentile is held against the
length of a block. The kernels are compiled before.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time

import numpy as np

from benchmarks.measure import Line, keep
from zeromag.block import Block
from zeromag.filters import JointFit, LowPass, Mains, MaskBad, TemporalSeparation, default_chain
from zeromag.physics.arrays import grid, with_references
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray

BLOCK = 10  # samples
PIECE_S = 0.25  # of the stream that is made at a time


def share(what: str, chain: Chain, sensors: SensorArray, rate: float, bar: str, *, seconds: float) -> list[Line]:
    """Return the mean share of a core, and the 99th percentile and the longest of a block beside its own length."""
    rng, piece, length = np.random.default_rng(0), round(PIECE_S * rate), BLOCK / rate
    chain.warm(sensors, rate, BLOCK)
    step, took, first = None, [], 0
    while first < seconds * rate:
        angle = 2 * np.pi * 50 * np.arange(first, first + piece) / rate
        data = 0.3e-12 * rng.normal(size=(piece, len(sensors))) + 20e-12 * np.sin(angle)[:, None]
        whole = Block(data=data, first=first, rate=rate, sensors=sensors)
        for at in range(0, piece, BLOCK):
            part = whole.part(at, at + BLOCK)
            step = step or chain.start(part)
            begin = time.thread_time()
            step(part)
            took.append(time.thread_time() - begin)
        first += piece
    late = np.array(took[len(took) // 3 :]) / length
    p99, most = np.quantile(late, 0.99), late.max()
    note = f"p50 {np.median(late):.3f}, p99 {p99:.3f}, longest {most:.2f} of a block"
    return [Line(what, 100 * float(late.mean()), "% of a core", bar=bar, note=note)]


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=2048, help="channels of the largest array")
    most = parser.parse_args().most
    small = with_references(grid(6, 6, 0.04))
    chain = default_chain(small, 1000.0).chain
    lines = share("default chain, 48 ch x 1 kHz", chain, small, 1000.0, "3 %, moonshot 1 %", seconds=9.0)
    print(lines[-1].say(), flush=True)
    for n, rate, bar in ((64, 1e3, "30 %, moonshot 10 %"), (128, 1e3, "30 %, moonshot 10 %"), (128, 5e3, "moonshot")):
        array = grid(12, 12, 0.03).pick(range(n))
        temporal = Chain((TemporalSeparation(damping=0.01),))
        lines += share(f"temporal SSS, 10 s, {n} ch x {rate / 1e3:g} kHz", temporal, array, rate, bar, seconds=14.0)
        print(lines[-1].say(), flush=True)
    for n, bar in ((1024, "100 %, p99 < 1"), (2048, "moonshot: 100 %")):
        if n > most:
            continue
        array = grid(n // 32, 32, 0.01)
        chain = Chain((MaskBad(), JointFit(), Mains(), LowPass(100.0)))  # what `default_chain` gives there
        lines += share(f"default chain, {n} ch x 10 kHz", chain, array, 1e4, bar, seconds=3.0)
        print(lines[-1].say(), flush=True)
    keep(lines)


if __name__ == "__main__":
    main()
