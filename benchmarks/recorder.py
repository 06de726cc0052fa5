"""Sustained recording: journal first, then publish, one subscriber in another process; what was lost, what stalled.

    python benchmarks/recorder.py [--seconds 10] [--channels 1024] [--rate 10000] [--block 100] [--dir DIR]

Then the recording is made from the journal, and the time that takes is told per hour of data.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import recover
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.sensors import SensorArray


def receive(endpoint: str) -> None:
    """Take everything and say how much it was."""
    source = Subscription(endpoint)
    samples = sum(len(block) for block in source.blocks())
    print(f"subscriber: {samples} samples, {source.lost} frames lost, {source.repaired} repaired")


def main() -> None:
    """Record, then make the recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--channels", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--dir", type=Path, help="where to record; default: the temporary folder")
    parser.add_argument("--receive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(options.receive)
        return
    n, size = options.channels, options.block
    sensors = SensorArray(
        tuple(f"S{c}" for c in range(n)), np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)), quantum=np.full(n, 1e-14)
    )
    data = np.random.default_rng(0).integers(-(2**20), 2**20, (size, n)) * sensors.quantum
    took = []
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        path = Path(folder) / "raw.zmj"
        with Journal(path) as journal, Publisher(Description(sensors, options.rate), journal=journal) as publisher:
            reader = subprocess.Popen([sys.executable, __file__, "--receive", publisher.endpoint])
            began = due = time.monotonic()
            count = round(options.seconds * options.rate / size)
            for number in range(count):
                due += size / options.rate
                time.sleep(max(0.0, due - time.monotonic()))
                at = time.perf_counter()
                publisher(Block(data, number * size, options.rate, sensors, t_ns=time.monotonic_ns()))
                took.append(time.perf_counter() - at)
            late = time.monotonic() - due
            publisher.end(count * size)
            publisher.wait_for_consumers(60)
            reader.wait()
        megabytes = path.stat().st_size / 1e6
        print(
            f"journal: {megabytes:.0f} MB, {megabytes / (time.monotonic() - began):.1f} MB/s, {1e3 * late:.0f} ms late"
        )
        p50, p99, most = np.percentile(1e3 * np.array(took), [50, 99, 100])
        print(f"encode, write, publish a block of {1e3 * size / options.rate:g} ms: ", end="")
        print(f"p50 {p50:.2f}, p99 {p99:.2f}, max {most:.1f} ms")
        at = time.perf_counter()
        print(f"recover: {recover(path, path.with_suffix('.zm.h5'))}", end=", ")
        seconds = time.perf_counter() - at
        print(f"{seconds:.1f} s, {seconds * 3600 / options.seconds:.0f} s per hour of data")


if __name__ == "__main__":
    main()
