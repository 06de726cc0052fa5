"""Garbage connections beside a reader with a key: latency of its blocks in quiet and in flooded seconds, in turns.

    python -m benchmarks.garbage [--seconds 60] [--connections 100000]

Random bytes and forged ZMTP greetings from a process of its own, as fast as the pace asks, to the port that the
reader is connected to; 64 channels, 1 kHz, blocks of 10, CURVE. Real strangers run on machines of their own: here the
flood is nice 19, so that it takes what the pipeline leaves of the processor, and its pace (connections a second while
it floods) is printed too. What the kernel does for its connections still counts against the pipeline.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import Line, keep
from zeromag.acquire.keys import allow, new_keys
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.sensors import SensorArray


def receive(endpoint: str, keys: Path) -> None:
    """Print the arrival at the publisher and the latency (µs) of every block."""
    with Subscription(endpoint, keys) as source:
        print(json.dumps([(block.t_ns, (time.monotonic_ns() - block.t_ns) * 1e-3) for block in source.blocks()]))


def flood(port: int, began: int, seconds: float, connections: int) -> None:
    """Connect in every second second; print how often."""
    os.nice(19)
    done, a_second = 0, connections / (seconds / 2)
    while (at := (time.monotonic_ns() - began) * 1e-9) < seconds and done < connections:
        if int(at) % 2 == 0 or done > a_second * (int(at) // 2 + at % 1):
            time.sleep(0.001)
            continue
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as rogue:
                rogue.sendall(os.urandom(64) if done % 2 else b"\xff" + bytes(8) + b"\x7f" + os.urandom(54))
        except OSError:
            time.sleep(0.01)
        done += 1
    print(done)


def main() -> None:
    """Publish, flood every second second, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--flood", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(options.receive[0], Path(options.receive[1]))
        return
    if options.flood:
        port, began, seconds, connections = options.flood
        flood(int(port), int(began), float(seconds), int(connections))
        return
    n = 64
    sensors = SensorArray(
        tuple(f"S{c}" for c in range(n)), np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)), quantum=np.full(n, 1e-14)
    )
    data = np.random.default_rng(0).integers(-(2**20), 2**20, (10, n)) * sensors.quantum
    with tempfile.TemporaryDirectory() as folder:
        server, client = Path(folder) / "server", Path(folder) / "client"
        new_keys(server, "server")
        allow(server, new_keys(client, "client"))
        shutil.copy(server / "server.pub", client)
        with Publisher(Description(sensors, 1000.0), keys=server) as publisher:
            me = [sys.executable, "-m", "benchmarks.garbage"]
            reader = subprocess.Popen([*me, "--receive", publisher.endpoint, str(client)], stdout=subprocess.PIPE)
            time.sleep(3.0)
            began = time.monotonic_ns()
            what = [publisher.endpoint.rpartition(":")[2], str(began), str(options.seconds), str(options.connections)]
            rogue = subprocess.Popen([*me, "--flood", *what], stdout=subprocess.PIPE)
            count = round(options.seconds * 100)
            for number in range(count):
                due = began + number * 10_000_000
                time.sleep(max(0.0, (due - time.monotonic_ns()) * 1e-9))
                publisher(Block(data, 10 * number, 1000.0, sensors, t_ns=time.monotonic_ns()))
            publisher.end(10 * count)
            rows = np.array(json.loads(reader.communicate()[0]))
            made = int(rogue.communicate()[0])
    flooded = ((rows[:, 0] - began) * 1e-9).astype(int) % 2 == 1
    quiet, busy = rows[~flooded, 1], rows[flooded, 1]
    pace = (
        f"{made} garbage connections, {made / (options.seconds / 2):.0f} a second; {len(rows)} of {count} blocks came"
    )
    lines = [
        Line(
            f"block of 64 ch x 10 to a reader with a key, flooded, p{q}", float(np.percentile(busy, q)), "us",
            float(np.percentile(quiet, q)), "quiet", float(np.percentile(quiet, q) / np.percentile(busy, q)),
            bar=bar, note=note,
        )
        for q, bar, note in ((50, "", pace), (99, "at least 0.83 (flooded 1.2 x quiet)", ""), (100, "", ""))
    ]  # fmt: skip
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
