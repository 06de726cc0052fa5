"""One hop between two processes, beside bare pyzmq and pylsl in the same run: `python -m benchmarks.hop`.

    python -m benchmarks.hop [--seconds 30] [--channels 64] [--block 10] [--rate 1000] [--floats]

All send the same blocks at the same pace, in turns of one second, so that a busy machine troubles all alike. Bare pyzmq
sends a struct header and the raw samples over PUB/SUB and makes a NumPy array of them; pylsl pushes and pulls chunks
into one array; ours is given the counts of a device and hands the samples out in tesla, which the other two are given.
`--floats` gives ours tesla too, so that it has to look for the counts. The receivers' own CPU is told per block.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pylsl
import zmq
from numpy.typing import NDArray

from benchmarks.measure import Line, keep
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.sensors import SensorArray

QUIET_S = 3.0  # a pylsl stream that gave nothing for so long is over


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
    latencies: list[float] = []
    for block in Subscription(endpoint).blocks():
        _ = block.data  # made of the counts now
        latencies.append((time.monotonic_ns() - block.t_ns) * 1e-3)
    return latencies


def receive_lsl(name: str) -> list[float]:
    """Return the latency of every chunk (µs) through pylsl, its last stamp taken."""
    info = pylsl.resolve_byprop("name", name, timeout=10.0)[0]
    inlet, latencies = pylsl.StreamInlet(info), list[float]()
    into = np.empty((1024, info.channel_count()))
    inlet.open_stream(timeout=10.0)
    size = int(info.source_id().split()[-1])
    last = time.monotonic()
    while not latencies or time.monotonic() - last < QUIET_S:
        _, stamps = inlet.pull_chunk(timeout=QUIET_S, max_samples=size, dest_obj=into)
        if stamps:
            latencies.append((pylsl.local_clock() - stamps[-1]) * 1e6)
            last = time.monotonic()
    return latencies


RECEIVERS: dict[str, Callable[[str], list[float]]] = {
    "bare pyzmq": receive_bare,
    "pylsl": receive_lsl,
    "ours": receive_ours,
}


def reader(name: str, endpoint: str) -> subprocess.Popen[bytes]:
    """Start a receiver in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.hop", "--receive", name, endpoint]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def measured(options: argparse.Namespace) -> dict[str, tuple[NDArray[np.float64], float]]:
    """Return each transport's latencies (µs) and its receiver's CPU a block (µs)."""
    n, name = options.channels, f"hop-{uuid4()}"
    sensors = SensorArray(
        tuple(f"S{c}" for c in range(n)), np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)), quantum=np.full(n, 1e-14)
    )
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (options.block, n), dtype=np.int32)
    data = counts * sensors.quantum
    bare: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
    bare.bind("tcp://127.0.0.1:*")
    outlet = pylsl.StreamOutlet(
        pylsl.StreamInfo(name, "MEG", n, options.rate, pylsl.cf_double64, f"{name} {options.block}")
    )
    with Publisher(Description(sensors, options.rate)) as publisher:
        places = {"bare pyzmq": bare.getsockopt_string(zmq.LAST_ENDPOINT), "pylsl": name, "ours": publisher.endpoint}
        readers = {each: reader(each, place) for each, place in places.items()}
        outlet.wait_for_consumers(15.0)
        time.sleep(3.0)
        first, due = 0, time.monotonic()
        for turn in range(3 * round(options.seconds)):
            for _ in range(max(1, round(options.rate / options.block))):
                due += options.block / options.rate
                time.sleep(max(0.0, due - time.monotonic()))
                fresh, read = data.copy(), counts.copy()
                now = time.monotonic_ns()
                if turn % 3 == 0:
                    if options.floats:
                        publisher(Block(fresh, first, options.rate, sensors, t_ns=now))
                    else:
                        publisher(Block.of_counts(read, first, options.rate, sensors, t_ns=now))
                    first += options.block
                elif turn % 3 == 1:
                    bare.send_multipart([struct.pack("<qII", now, options.block, n), fresh.tobytes()])
                else:
                    outlet.push_chunk(fresh, pylsl.local_clock())
        bare.send_multipart([struct.pack("<qII", 0, 0, 0), b""])
        publisher.end(first)
        said = {each: json.loads(process.communicate()[0]) for each, process in readers.items()}
    return {each: (np.array(latencies), cpu) for each, (latencies, cpu) in said.items()}


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--block", type=int, default=10)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--floats", action="store_true")
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        how, endpoint = options.receive
        begin = time.process_time()
        latencies = RECEIVERS[how](endpoint)
        print(json.dumps((latencies, 1e6 * (time.process_time() - begin) / max(1, len(latencies)))))
        return
    found = measured(options)
    given = ", given tesla" if options.floats else ""
    what = f"hop, {options.channels} ch x {options.block} at {options.rate:g} Hz{given}"
    ours, our_cpu = found["ours"]
    lines = []
    for name, p50, cpu in (("bare pyzmq", "1.1 x at most", "1.5 x at most"), ("pylsl", "", "")):
        theirs, their_cpu = found[name]
        for q, bar in ((50, p50), (99, "")):
            mine, other = float(np.percentile(ours, q)), float(np.percentile(theirs, q))
            lines.append(Line(f"{what}, p{q}, ours / theirs", mine, "us", other, name, mine / other, bar=bar))
        ratio = our_cpu / their_cpu
        lines.append(
            Line(f"{what}, receiver's CPU a block, ours / theirs", our_cpu, "us", their_cpu, name, ratio, bar=cpu)
        )
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
