"""The project's own hop encrypted (CURVE) beside plain: `python -m benchmarks.curve [--seconds 10]`.

First the latency of 64 channels in blocks of ten at 1 kHz, plain and encrypted in turns of a second. Then 512 channels
of int32 counts, as many bytes as float32, in blocks of 10 and of 100 at growing multiples of 10 kHz for two seconds
each: held is what came whole, nothing asked for again, and its last tenth no more than 100 ms late.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Line, keep
from benchmarks.recorder import array
from zeromag.acquire.keys import allow, new_keys
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block

BLOCK = 10
LADDER = (2, 5, 8, 10, 12, 15, 20)  # times 10 kHz
STEP_S, LATE_S = 2.0, 0.1
SUSTAINED = (BLOCK, 100)  # samples of a block
PUBLISHED_AT_ONCE = 100  # samples: a sleep is not exact to a tenth of a millisecond


def receive(endpoint: str, keys: Path | None) -> None:
    """Read a stream to its end and print how late each block was (s), what was repaired and what it cost."""
    with Subscription(endpoint, keys) as source:
        print("ready", flush=True)
        late: list[float] = []
        for block in source.blocks():
            _ = block.data  # made of the counts now
            late.append(time.monotonic() - 1e-9 * block.t_ns)
        print(json.dumps((late, source.lost + source.repaired, time.process_time())))


def reader(endpoint: str, keys: Path | None) -> subprocess.Popen[str]:
    """Start a receiver in a process of its own, and wait until it listens."""
    words = [endpoint, *([] if keys is None else [str(keys)])]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.curve", "--receive", *words], stdout=subprocess.PIPE, text=True
    )
    if process.stdout is not None:
        process.stdout.readline()
    time.sleep(0.5)
    return process


def latencies(server: Path, client: Path, seconds: float) -> dict[str, NDArray[np.float64]]:
    """Return the latency of each block, s, plain and encrypted."""
    sensors, rate = array(64), 1000.0
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (BLOCK, 64), dtype=np.int32)
    described = Description(sensors, rate)
    with Publisher(described) as plain, Publisher(described, keys=server) as locked:
        readers = {"plain": reader(plain.endpoint, None), "CURVE": reader(locked.endpoint, client)}
        due, first = time.monotonic(), [0, 0]
        for turn in range(2 * round(seconds)):
            publisher = (plain, locked)[turn % 2]
            for _ in range(round(rate / BLOCK)):
                due += BLOCK / rate
                time.sleep(max(0.0, due - time.monotonic()))
                publisher(Block.of_counts(counts.copy(), first[turn % 2], rate, sensors, t_ns=time.monotonic_ns()))
                first[turn % 2] += BLOCK
        plain.end(first[0])
        locked.end(first[1])
        return {name: np.array(json.loads(process.communicate()[0])[0]) for name, process in readers.items()}


def held(server: Path | None, client: Path | None, times: float, block: int) -> tuple[bool, str]:
    """Return whether so many times 512 channels at 10 kHz came through, and what was seen."""
    sensors, rate = array(512), 1e4 * times
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (block, 512), dtype=np.int32)
    with Publisher(Description(sensors, rate), keys=server) as publisher:
        process = reader(publisher.endpoint, client)
        at_once = max(1, PUBLISHED_AT_ONCE // block)
        count, due = round(STEP_S * rate / block), time.monotonic()
        for number in range(count):
            if number % at_once == 0:
                due += at_once * block / rate
                time.sleep(max(0.0, due - time.monotonic()))
            publisher(Block.of_counts(counts, block * number, rate, sensors, t_ns=round(1e9 * due)))
        publisher.end(block * count)
        late, troubled, cpu = json.loads(process.communicate()[0])
    end = float(np.median(late[-len(late) // 10 :]))
    said = (
        f"{len(late)} of {count} blocks, {troubled} again, {1e3 * end:.0f} ms late, receiver {1e6 * cpu / count:.0f} us"
    )
    return len(late) == count and not troubled and end < LATE_S, said


def sustained(server: Path, client: Path, block: int) -> Line:
    """Return the most that came through, in multiples of 10 kHz, encrypted beside plain."""
    best, said = {"CURVE": 0.0, "plain": 0.0}, {"CURVE": "", "plain": ""}
    going = set(best)
    for times in LADDER:
        for name in sorted(going):
            keys = (server, client) if name == "CURVE" else (None, None)
            good, seen = held(keys[0], keys[1], times, block)
            print(f"{name:6} {times:3g} x 10 kHz: {'held' if good else 'not held'}; {seen}", flush=True)
            if good:
                best[name], said[name] = times, seen
            else:
                going.remove(name)
    what = f"512 ch of int32 in blocks of {block}, sustained"
    ratio, bar = (best["CURVE"] / best["plain"] if best["plain"] else None), ">= 10, moonshot 20"
    return Line(what, best["CURVE"], "x 10 kHz", best["plain"], "plain", ratio, bar=bar, note=said["CURVE"])


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--receive", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        endpoint, *keys = options.receive
        receive(endpoint, Path(keys[0]) if keys else None)
        return
    with tempfile.TemporaryDirectory() as folder:
        server, client = Path(folder) / "server", Path(folder) / "client"
        new_keys(server, "server")
        allow(server, new_keys(client, "client"))
        (client / "server.pub").write_text((server / "server.pub").read_text(encoding="utf-8"), encoding="utf-8")
        late = latencies(server, client, options.seconds)
        lines = []
        for q, bar in ((50, "1.3 x at most, moonshot 1.15"), (99, "")):
            locked, plain = (1e6 * float(np.percentile(late[name], q)) for name in ("CURVE", "plain"))
            what = f"hop, 64 ch x 10 at 1 kHz, p{q}, CURVE / plain"
            lines.append(Line(what, locked, "us", plain, "plain", locked / plain, bar=bar))
        lines += [sustained(server, client, block) for block in SUSTAINED]
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
