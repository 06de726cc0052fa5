"""What finding and averaging beats takes of a core on a fast stream: `python -m benchmarks.hearts`.

256 channels at 5 kHz behind a 100 Hz low-pass: every sample, and as many as the low-pass leaves, in turns.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from benchmarks.measure import Line, beside, keep
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.physics.arrays import grid
from zeromag.scan.hearts import beating
from zeromag.session import Session

RATE, SECONDS, BLOCK, TURNS = 5000.0, 6.0, 50, 5
HEART = "sim:adult?rows=4&columns=4&references=0&heart_rate=60&mains_pT=0&drift_pT=0"


def stream() -> list[Block]:
    """Return a heart on sixteen channels, sixteen times beside each other in noise, cleaned and in blocks of 10 ms."""
    source = simulation(f"{HEART}&rate={RATE:g}&seconds={SECONDS:g}", block=5000)
    data = np.tile(np.concatenate([block.data for block in source.blocks()]), (1, 16))
    data += 1e-13 * np.random.default_rng(0).normal(size=data.shape)
    clean = np.ascontiguousarray(sosfilt(butter(4, 100.0, fs=RATE, output="sos"), data, axis=0))
    whole = Block(clean, 0, RATE, grid(16, 16, 0.015))
    return [whole.part(at, at + BLOCK) for at in range(0, len(clean), BLOCK)]


def run(parts: list[Block], session: Session) -> NDArray[np.float64]:
    """Return what each block took, s."""
    hearts, took = beating(parts[0], session), []
    for part in parts:
        begin = time.thread_time()
        hearts(part)
        took.append(time.thread_time() - begin)
    return np.array(took)


def main() -> None:
    """Print the table and keep it."""
    parts, thinned = stream(), Session()
    whole = thinned.changed(**{"clean.low_pass": 0})
    run(parts, thinned)
    took = {name: list[NDArray[np.float64]]() for name in ("thinned", "every sample")}
    for _ in range(TURNS):
        took["thinned"].append(run(parts, thinned))
        took["every sample"].append(run(parts, whole))
    share = {name: np.array([each.sum() / SECONDS for each in runs]) for name, runs in took.items()}
    worst = {name: float(np.median([each.max() for each in runs])) for name, runs in took.items()}
    what = f"beats and averages, 256 ch x {RATE / 1e3:g} kHz"
    lines = [
        beside(what, share["thinned"], share["every sample"], "every sample", "", scale=100.0, unit="% of a core"),
        Line(f"{what}, longest block", 1e3 * worst["thinned"], "ms", 1e3 * worst["every sample"], "every sample",
             worst["every sample"] / worst["thinned"]),
    ]  # fmt: skip
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
