"""Cost as the work grows, with a plot: `python -m benchmarks.growth [--plot docs/images/growth.png]`.

Channels 32 to 1024 and rate 1 to 10 kHz: the default chain's share of a core. Subscribers 1 to 32: what publishing a
block takes of the publisher, all of them reading. Length 1 minute to a day (`--hours 1`: less): making the recording of
eight channels at 1 kHz, so that a day is 3 GB.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.chain import share
from benchmarks.measure import Line, keep
from benchmarks.recorder import array
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import recover
from zeromag.acquire.subscription import Subscription
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.block import Block
from zeromag.filters import JointFit, LowPass, Mains, MaskBad
from zeromag.physics.arrays import grid
from zeromag.pipeline import Chain

Point = tuple[float, float]  # how much, and what it costs
PUBLISHED = 500  # blocks
LENGTH_CHANNELS = 8


def chain(n: int, rate: float) -> Line:
    """Return the share of a core of the default chain's stages."""
    stages = Chain((MaskBad(), JointFit(), Mains(), LowPass(100.0)))
    what = f"default chain, {n} ch x {rate / 1e3:g} kHz"
    return share(what, stages, grid(n // 16, 16, 0.02), rate, "", seconds=3.0 if rate < 5e3 else 1.5)[0]


def publishing(subscribers: int) -> Line:
    """Return the publisher's CPU for a block of 64 channels, its subscribers in a process of theirs."""
    sensors = array(64)
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (10, 64), dtype=np.int32)
    with Publisher(Description(sensors, 1000.0)) as publisher:
        command = [sys.executable, "-m", "benchmarks.growth", "--receive", str(subscribers), publisher.endpoint]
        reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if reader.stdout is not None:
            reader.stdout.readline()
        time.sleep(1.0)
        begin = time.process_time()
        for number in range(PUBLISHED):
            publisher(Block.of_counts(counts.copy(), 10 * number, 1000.0, sensors, t_ns=time.monotonic_ns()))
            time.sleep(0.004)
        took = (time.process_time() - begin) / PUBLISHED
        publisher.end(10 * PUBLISHED)
        lost = int(reader.communicate()[0])
    return Line(f"publish a block, {subscribers} subscribers", 1e6 * took, "us of CPU", note=f"{lost} blocks lost")


def receive(count: int, endpoint: str) -> None:
    """Read the stream so many times at once, and say how many blocks are missing in all."""
    seen = [0] * count

    def read(which: int) -> None:
        for _ in Subscription(endpoint).blocks():
            seen[which] += 1

    threads = [threading.Thread(target=read, args=(which,)) for which in range(count)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
    print(count * PUBLISHED - sum(seen))


def recovery(minutes: float) -> Line:
    """Return how long a recording of so long takes to be made of its journal."""
    sensors, size = array(LENGTH_CHANNELS), 100
    data = np.random.default_rng(0).integers(-(2**20), 2**20, (size, LENGTH_CHANNELS)) * sensors.quantum
    blocks = round(60.0 * minutes * 1000.0 / size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "length.zmj"
        with Journal(path) as journal:
            journal(encode_description(Description(sensors, 1000.0), Stamp(1, 2, 0)))
            for number in range(blocks):
                journal(encode_block(Block(data, size * number, 1000.0, sensors), Stamp(1, 2, number)))
            journal(encode_end(End(size * blocks), Stamp(1, 2, blocks)), last=True)
        begin = time.perf_counter()
        recover(path, path.with_suffix(".zm.h5"))
        return Line(f"recording of {minutes:g} min made", time.perf_counter() - begin, "s")


def plot(path: Path, curves: dict[str, tuple[str, list[Point]]]) -> None:
    """Draw each curve, both axes logarithmic, with the line of proportion through its last point."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(3.4 * len(curves), 3.2), layout="constrained")
    for axis, (title, (unit, points)) in zip(axes, curves.items(), strict=True):
        x, y = np.array(points).T
        axis.loglog(x, y, "o-", color="#1f5fa8", label="measured")
        axis.loglog(x, y[-1] * x / x[-1], ":", color="#888888", label="in proportion")
        axis.set(xlabel=title, ylabel=unit)
        axis.set_xticks(x, [f"{value:g}" for value in x])
        axis.minorticks_off()
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the table, keep it, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, default=Path(__file__).parent.parent / "docs" / "images" / "growth.png")
    parser.add_argument("--hours", type=float, default=24.0, help="length of the longest recording")
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(int(options.receive[0]), options.receive[1])
        return
    longest = 60.0 * options.hours
    work: dict[str, tuple[str, list[float], Callable[[float], Line]]] = {
        "channels at 1 kHz": ("% of a core", [32, 64, 128, 256, 512, 1024], lambda n: chain(int(n), 1e3)),
        "rate of 64 channels, kHz": ("% of a core", [1, 2, 5, 10], lambda rate: chain(64, 1e3 * rate)),
        "subscribers": ("µs of CPU a block", [1, 2, 4, 8, 16, 32], lambda n: publishing(int(n))),
        "length, min": ("s to make the recording", [1, 10, 60, longest], recovery),
    }
    lines: list[Line] = []
    curves: dict[str, tuple[str, list[Point]]] = {}
    for title, (unit, amounts, measure) in work.items():
        points = []
        for amount in amounts:
            lines.append(measure(amount))
            points.append((amount, lines[-1].ours))
            print(lines[-1].say(), flush=True)
        curves[title] = (unit, points)
    keep(lines)
    plot(options.plot, curves)


if __name__ == "__main__":
    main()
