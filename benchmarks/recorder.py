"""Sustained recording: journal first, then publish, one subscriber in another process; what was lost, what stalled.

    python -m benchmarks.recorder [--seconds 60] [--channels 1024] [--rate 10000] [--block 100] [--dir DIR]
        [--hour 3600]

The bar is 41 MB/s for 60 s with nothing lost and no stall of the disk that reaches the publisher: the longest that
the journal took for a block stands beside the block's own time, and so does the longest time between two blocks that
were given out, in which the machine's other work has a part. Then the recording is made from the journal, and
the time that takes is told per hour of data; last the same for the journal that the bar is set for: 64 channels at
1 kHz in blocks of 10, one hour unless told otherwise.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import Line, keep
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import recover
from zeromag.acquire.subscription import Subscription
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.block import Block
from zeromag.sensors import SensorArray


class Timed(Journal):
    """A journal that keeps how long each frame took it, s."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.took: list[float] = []

    def __call__(self, frame: bytes, *, last: bool = False) -> None:
        """Append one frame."""
        began = time.perf_counter()
        super().__call__(frame, last=last)
        self.took.append(time.perf_counter() - began)


def receive(endpoint: str) -> None:
    """Take everything and say how much it was."""
    source = Subscription(endpoint)
    samples = sum(len(block) for block in source.blocks())
    print(f"{samples} samples, {source.lost} frames lost, {source.repaired} repaired")


def journal_of(path: Path, seconds: float) -> None:
    """Write a journal of 64 channels at 1 kHz in blocks of 10, as fast as it goes."""
    sensors = array(64)
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (50, 10, 64), dtype=np.int32)
    blocks = round(seconds * 100)
    with Journal(path) as journal:
        journal(encode_description(Description(sensors, 1000.0), Stamp(1, 2, 0)))
        for number in range(blocks):
            block = Block.of_counts(counts[number % 50], 10 * number, 1000.0, sensors)
            journal(encode_block(block, Stamp(1, 2, number)))
        journal(encode_end(End(10 * blocks), Stamp(1, 2, blocks)), last=True)


def recovery(what: str, path: Path, seconds: float, bar: str = "") -> Line:
    """Make the recording and return how long that took for an hour of data, on the clock and of processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    recovered = recover(path, path.with_suffix(".zm.h5"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_hour = 3600 / seconds
    note = f"{recovered}; {cpu * per_hour:.1f} s of processors"
    return Line(f"recover {what}, per hour of data", wall * per_hour, "s", bar=bar, note=note)


def array(n: int) -> SensorArray:
    """Return `n` sensors of 10 fT a count."""
    return SensorArray(
        tuple(f"S{c}" for c in range(n)), np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)), quantum=np.full(n, 1e-14)
    )


def main() -> None:
    """Record, then make the recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--channels", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--dir", type=Path, help="where to record; default: the temporary folder")
    parser.add_argument("--hour", type=float, default=3600.0, help="seconds of the last journal; 0: none")
    parser.add_argument("--receive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(options.receive)
        return
    n, size = options.channels, options.block
    sensors = array(n)
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (size, n), dtype=np.int32)
    took, given = [], []
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        path = Path(folder) / "raw.zmj"
        with Timed(path) as journal, Publisher(Description(sensors, options.rate), journal=journal) as publisher:
            reader = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.recorder", "--receive", publisher.endpoint],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            while not publisher.greeted:
                time.sleep(0.05)
            began = due = time.monotonic()
            count = round(options.seconds * options.rate / size)
            for number in range(count):
                due += size / options.rate
                time.sleep(max(0.0, due - time.monotonic()))
                at = time.perf_counter()
                publisher(Block.of_counts(counts, number * size, options.rate, sensors, t_ns=time.monotonic_ns()))
                given.append(time.perf_counter())
                took.append(given[-1] - at)
            took_all = time.monotonic() - began
            late, written = time.monotonic() - due, 1e3 * np.array(journal.took[1:])  # without the description
            publisher.end(count * size)
            publisher.wait_for_consumers(60)
            subscriber = reader.communicate()[0].strip()
        megabytes = path.stat().st_size / 1e6
        p50, p99, most = np.percentile(1e3 * np.array(took), [50, 99, 100])
        what = f"{n} ch x {options.rate / 1e3:g} kHz"
        wanted, rate = n * options.rate * 4e-6, megabytes / took_all
        lines = [
            Line(
                f"journal, published too, {what}",
                rate,
                "MB/s",
                bar=f"{wanted:.0f}",
                note=f"for {took_all:.0f} s, {1e3 * late:.0f} ms late at the end; subscriber: {subscriber}",
            ),
            Line(
                f"longest that the journal took for a block of {1e3 * size / options.rate:g} ms",
                float(written.max()),
                "ms",
                bar=f"{1e3 * size / options.rate:g}",
                note=f"p50 {np.median(written):.2f}, p99.9 {np.percentile(written, 99.9):.1f}",
            ),
            Line("longest between two blocks given out", 1e3 * float(np.diff(given).max()), "ms"),
            Line(f"a block of {1e3 * size / options.rate:g} ms, p50", p50, "ms", note=f"p99 {p99:.2f}, max {most:.1f}"),
            recovery(what, path, options.seconds),
        ]
        if options.hour:
            journal_of(Path(folder) / "hour.zmj", options.hour)
            lines.append(recovery("64 ch x 1 kHz in blocks of 10", Path(folder) / "hour.zmj", options.hour, "5 s"))
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
