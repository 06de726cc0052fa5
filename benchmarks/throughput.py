"""The two loads of the plan, beside their bars: `python -m benchmarks.throughput [--seconds 60]`.

*Bare*: 512 channels and 12 references at 10 kHz in blocks of ten and of twenty; A writes the journal and publishes, B
filters (seven biquads), projects eight patterns out, follows the references (NLMS) and publishes. Late is how long
after a block's last sample B had published it. *Whole*: what `zeromag live` runs, 1,024 channels at 10 kHz through the
default chain with beats, averages and maps, the recorder and the window. `--only bare` or `--only whole` runs one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Line, keep
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.filters import BandPass, Nlms, Notch, SignalSpaceProjection
from zeromag.live.pipeline_run import PipelineRun, run_pipeline
from zeromag.physics.arrays import grid
from zeromag.pipeline import Chain
from zeromag.sensors import Kind, SensorArray

CHANNELS, REFERENCES, RATE = 512, 12, 1e4
SETTLE_S = 2.0  # not counted
MAG: tuple[Kind, ...] = ("mag",)
REF: tuple[Kind, ...] = ("ref",)
SIDE = 32  # channels of the whole load along an edge
WHOLE = f"rows={SIDE}&columns={SIDE}&pitch={240 / SIDE:.6g}&rate={RATE:g}&seconds=2"


def sensors() -> SensorArray:
    """Return the array of the bare load."""
    flat = grid(CHANNELS // 32, 32, 0.012)
    above = flat.positions[:REFERENCES] + np.array([0.0, 0.0, 0.25])
    places = np.concatenate([flat.positions, above])
    return SensorArray(
        tuple(f"S{c}" for c in range(CHANNELS + REFERENCES)), places, np.tile([0.0, 0.0, 1.0], (len(places), 1)),
        kinds=(*MAG * CHANNELS, *REF * REFERENCES), quantum=np.full(len(places), 1e-14),
    )  # fmt: skip


def source(endpoint_to: str, folder: str, seconds: float, block: int) -> None:
    """Be process A: journal, publish, and tell what that took of a core."""
    array = sensors()
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (50, block, len(array)), dtype=np.int32)
    path = Path(folder) / "raw.zmj"
    with Journal(path) as journal, Publisher(Description(array, RATE), journal=journal) as publisher:
        Path(endpoint_to).write_text(publisher.endpoint, encoding="utf-8")
        sys.stdin.readline()
        count, settle, used = round((SETTLE_S + seconds) * RATE / block), round(SETTLE_S * RATE / block), 0.0
        due = time.monotonic()
        for number in range(count):
            if number == settle:
                used = time.process_time()
            due += block / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            publisher(Block.of_counts(counts[number % 50], number * block, RATE, array, t_ns=round(1e9 * due)))
        print(json.dumps({"cpu": (time.process_time() - used) / seconds, "blocks": count - settle}), flush=True)
        publisher.end(count * block)
        publisher.wait_for_consumers(30.0)


def worker(endpoint: str, seconds: float, block: int) -> None:
    """Be process B, and tell how late each block was published and what that took of a core."""
    patterns = np.linalg.qr(np.random.default_rng(1).normal(size=(CHANNELS, 8)))[0].T
    chain = Chain((
        BandPass(1.0, 40.0, order=4), Notch(50.0, harmonics=3),
        SignalSpaceProjection(patterns=tuple(tuple(row) for row in patterns.tolist())), Nlms(),
    ))  # fmt: skip
    late, step, used = list[float](), None, 0.0
    with Subscription(endpoint) as stream:
        chain.warm(stream.sensors, stream.rate, block)
        with Publisher(Description(stream.sensors, stream.rate)) as publisher:
            print("ready", flush=True)
            for piece in stream.blocks():
                step = step or chain.start(piece)
                publisher(step(piece))
                if piece.first < SETTLE_S * RATE:
                    used = time.process_time()
                else:
                    late.append(time.monotonic() - 1e-9 * piece.t_ns)
            told = {"late": late, "cpu": (time.process_time() - used) / seconds, "lost": stream.lost}
            print(json.dumps(told), flush=True)
            publisher.end(0)


def bare(seconds: float, block: int) -> list[Line]:
    """Run A and B, and return the figures."""
    me = [sys.executable, "-m", "benchmarks.throughput", "--seconds", f"{seconds}", "--block", f"{block}"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "endpoint"
        started = partial(subprocess.Popen[str], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = started([*me, "--be", "source", str(place), folder])
        while not place.exists() or not place.read_text(encoding="utf-8"):
            time.sleep(0.1)
        endpoint = place.read_text(encoding="utf-8")
        second = started([*me, "--be", "worker", endpoint])
        if second.stdout is not None:
            second.stdout.readline()
        a = json.loads(first.communicate("\n")[0])
        b = json.loads(second.communicate()[0])
    late = 1e3 * np.array(b["late"])
    p50, p99, most = (float(value) for value in np.percentile(late, [50, 99, 100]))
    asleep = 1e3 * float(np.percentile(idle(min(seconds, 10.0), block), 99))
    what, cpu = f"{CHANNELS} ch x 10 kHz in blocks of {block}, bare", a["cpu"] + b["cpu"]
    missing = a["blocks"] - len(late)
    return [
        Line(
            f"{what}: p99",
            p99,
            "ms",
            bar="< 1, moonshot 0.5",
            note=f"p50 {p50:.2f}, longest {most:.1f}; here a loop that only sleeps is {asleep:.2f} late (p99)",
        ),
        Line(f"{what}: lost", missing, "blocks", bar="0", note=f"{b['lost']} frames nobody had any more"),
        Line(f"{what}: A and B", cpu, "cores", bar="< 0.6, moonshot 0.3", note=f"A {a['cpu']:.2f}, B {b['cpu']:.2f}"),
    ]


def idle(seconds: float, block: int) -> NDArray[np.float64]:
    """Return how late a loop wakes that does nothing but sleep until each next block of the bare load is due: s."""
    late, due = list[float](), time.monotonic()
    for _ in range(round(seconds * RATE / block)):
        due += block / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        late.append(time.monotonic() - due)
    return np.array(late)


def whole(seconds: float) -> list[Line]:
    """Run the instrument with its window, and return the figures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    spec = f"loop:sim:adult?{WHOLE}&heart_rate=60&variability=0&variation=0&references=0"
    seen: PipelineRun = run_pipeline(spec, channels=SIDE**2, rate=RATE, block=100, seconds=seconds, window=True)
    late: NDArray[np.float64] = np.array(seen.latency["filtered"])
    what = f"{SIDE**2} ch x 10 kHz, default chain, recorder, window"
    cpu = ", ".join(f"{name} {share:.2f}" for name, share in seen.cpu.items())
    p50, p99, most = (1e3 * float(value) for value in np.percentile(late, [50, 99, 100]))
    count = round(seconds * RATE / 100)
    return [
        Line(f"{what}: lost", seen.lost, "frames", bar="0", note=f"{len(late)} of {count} blocks seen in this time"),
        Line(f"{what}: later than 10 ms", int((late > 0.01).sum()), "blocks", bar="0",
             note=f"p50 {p50:.1f}, p99 {p99:.1f}, longest {most:.0f} ms"),
        Line(f"{what}: pictures", seen.pictures, "a second", bar=">= 20, moonshot 30"),
        Line(f"{what}: CPU", sum(seen.cpu.values()), "cores", note=cpu),
    ]  # fmt: skip


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--block", type=int, nargs="+", default=[10, 20], help="samples, of the bare load")
    parser.add_argument("--only", choices=("bare", "whole"))
    parser.add_argument("--be", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        role, *words = options.be
        if role == "source":
            source(words[0], words[1], options.seconds, options.block[0])
        else:
            worker(words[0], options.seconds, options.block[0])
        return
    lines: list[Line] = []
    for block in [] if options.only == "whole" else options.block:
        lines += bare(options.seconds, block)
    lines += [] if options.only == "bare" else whole(options.seconds)
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
