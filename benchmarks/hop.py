"""One hop between two processes, beside bare pyzmq in the same run: latency of a block, one line a figure.

    python benchmarks/hop.py [--seconds 10] [--channels 64] [--block 10] [--rate 1000]

Both sides send the same blocks at the same pace, in turns of one second, so that a busy machine troubles
both alike. Bare pyzmq sends a struct header and the raw samples over PUB/SUB and makes a NumPy array of them.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import time

import numpy as np
import zmq

from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.sensors import SensorArray


def receive_bare(endpoint: str) -> list[float]:
    """Return the latency of every block (µs) over plain PUB/SUB."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.connect(endpoint)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    latencies: list[float] = []
    while True:
        head, body = socket.recv_multipart()
        sent, samples, channels = struct.unpack("<qII", head)
        if not samples:
            return latencies
        np.frombuffer(body, dtype=np.float64).reshape(samples, channels)
        latencies.append((time.monotonic_ns() - sent) * 1e-3)


def receive_ours(endpoint: str) -> list[float]:
    """Return the latency of every block (µs) through Publisher and Subscription."""
    return [(time.monotonic_ns() - block.t_ns) * 1e-3 for block in Subscription(endpoint).blocks()]


def main() -> None:
    """Run both sides and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--block", type=int, default=10)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        how, endpoint = options.receive
        print(json.dumps((receive_bare if how == "bare" else receive_ours)(endpoint)))
        return
    n = options.channels
    sensors = SensorArray(
        tuple(f"S{c}" for c in range(n)), np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)), quantum=np.full(n, 1e-14)
    )
    data = np.random.default_rng(0).integers(-(2**20), 2**20, (options.block, n)) * sensors.quantum
    bare: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
    bare.bind("tcp://127.0.0.1:*")
    with Publisher(Description(sensors, options.rate)) as publisher:
        readers = {
            "bare": subprocess.Popen(
                [sys.executable, __file__, "--receive", "bare", bare.getsockopt_string(zmq.LAST_ENDPOINT)],
                stdout=subprocess.PIPE,
            ),
            "ours": subprocess.Popen(
                [sys.executable, __file__, "--receive", "ours", publisher.endpoint], stdout=subprocess.PIPE
            ),
        }
        time.sleep(3.0)
        per_turn = max(1, round(options.rate / options.block))
        first = 0
        due = time.monotonic()
        for turn in range(2 * round(options.seconds)):
            for _ in range(per_turn):
                due += options.block / options.rate
                time.sleep(max(0.0, due - time.monotonic()))
                fresh = data.copy()
                now = time.monotonic_ns()
                if turn % 2:
                    publisher(Block(fresh, first, options.rate, sensors, t_ns=now))
                    first += options.block
                else:
                    bare.send_multipart([struct.pack("<qII", now, options.block, n), fresh.tobytes()])
        bare.send_multipart([struct.pack("<qII", 0, 0, 0), b""])
        publisher.end(first)
        latencies = {name: np.array(json.loads(reader.communicate()[0])) for name, reader in readers.items()}
    for name, us in latencies.items():
        p50, p99, p999 = np.percentile(us, [50, 99, 99.9])
        print(f"{name} {len(us):6} blocks: p50 {p50:.0f}, p99 {p99:.0f}, p99.9 {p999:.0f}, max {us.max():.0f} µs")
    ratio = [np.percentile(latencies["ours"], q) / np.percentile(latencies["bare"], q) for q in (50, 99)]
    print(f"ratio p50 {ratio[0]:.2f} (bar 1.5)  p99 {ratio[1]:.2f} (bar 2)")


if __name__ == "__main__":
    main()
