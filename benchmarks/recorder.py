"""Sustained recording: journal first, then publish, one subscriber in another process; what was lost, what stalled.

    python -m benchmarks.recorder [--seconds 60] [--channels 1024] [--rate 10000] [--block 100] [--dir DIR]
        [--hour 3600]

The bar is 41 MB/s for 60 s with nothing lost and no stall of the disk that reaches the publisher: the longest that
the journal took for a block stands beside the block's own time, and so does the longest time between two blocks that
were given out, in which the machine's other work has a part. The same once more while another program writes, syncs and
removes gigabytes on that disk. On Linux it is told what a write that lasts was seen to wait for: the disk, or a
processor, or room that another thread reserves. The time to make the recording from it is told per hour of data;
last for the journal that the bar is set for: 64 channels at 1 kHz in blocks of 10, one hour unless told otherwise.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

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

WAITED = {"D": "the disk", "R": "a processor", "S": "room"}  # by a thread's state, as Linux names it


class Timed(Journal):
    """A journal that keeps how long each frame took it, s."""

    def __init__(self, path: Path, pace: float) -> None:
        super().__init__(path, pace=pace)
        self.took: list[float] = []
        self.since, self.thread = 0.0, threading.get_native_id()  # a write under way, and who writes

    def __call__(self, frame: bytes, *, last: bool = False) -> None:
        """Append one frame."""
        began = self.since = time.perf_counter()
        super().__call__(frame, last=last)
        self.since = 0.0
        self.took.append(time.perf_counter() - began)


class Waits:
    """Looks each millisecond what a write that lasts is waiting for, while it is entered; Linux tells."""

    def __init__(self, journal: Timed) -> None:
        self._journal, self._stop = journal, threading.Event()
        self._state = Path(f"/proc/self/task/{journal.thread}/stat")
        self.longest = dict.fromkeys(WAITED, 0.0)  # s into a write at which it was last seen in that state
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        if self._state.exists():
            self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.001):
            if since := self._journal.since:
                state = self._state.read_text().rpartition(")")[2].split()[0]
                if state in self.longest and self._journal.since == since:
                    self.longest[state] = max(self.longest[state], time.perf_counter() - since)


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


def sustained(path: Path, n: int, rate: float, size: int, seconds: float, *, busy: bool) -> list[Line]:
    """Record and publish at the real rate, on a disk with nothing else to do or a `busy` one; return what was seen."""
    sensors, given = array(n), list[float]()
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (size, n), dtype=np.int32)
    other = [sys.executable, "-m", "benchmarks.busy_disk", str(path.parent)]
    beside = subprocess.Popen(other) if busy else None
    with (
        Timed(path, 4 * n * rate) as journal,
        Waits(journal) as waits,
        Publisher(Description(sensors, rate), journal=journal) as publisher,
    ):
        reader = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.recorder", "--receive", publisher.endpoint],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not publisher.greeted:
            time.sleep(0.05)
        began = due = time.monotonic()
        count = round(seconds * rate / size)
        for number in range(count):
            due += size / rate
            time.sleep(max(0.0, due - time.monotonic()))
            publisher(Block.of_counts(counts, number * size, rate, sensors, t_ns=time.monotonic_ns()))
            given.append(time.perf_counter())
        took, late = time.monotonic() - began, time.monotonic() - due
        written = 1e3 * np.array(journal.took[1:])  # without the description
        if beside is not None:
            beside.kill()
            beside.wait()
        publisher.end(count * size)
        publisher.wait_for_consumers(60)
        subscriber = reader.communicate()[0].strip()
    where = ", the disk busy beside" if busy else ""
    held = ", ".join(f"{1e3 * waits.longest[state]:.1f} for {what}" for state, what in WAITED.items())
    return [
        Line(
            f"journal, published too, {n} ch x {rate / 1e3:g} kHz{where}",
            path.stat().st_size / 1e6 / took,
            "MB/s",
            bar=f"{n * rate * 4e-6:.0f}",
            note=f"for {took:.0f} s, {1e3 * late:.0f} ms late at the end; subscriber: {subscriber}",
        ),
        Line(
            f"longest that the journal took for a block of {1e3 * size / rate:g} ms{where}",
            float(written.max()),
            "ms",
            bar=f"{1e3 * size / rate:g}",
            note=f"p50 {np.median(written):.2f}, p99.9 {np.percentile(written, 99.9):.1f}; "
            f"was seen to wait at most {held}, ms",
        ),
        Line(f"longest between two blocks given out{where}", 1e3 * float(np.diff(given).max()), "ms"),
    ]


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
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        for busy in (False, True):
            path = Path(folder) / f"raw-{busy}.zmj"
            lines += sustained(path, options.channels, options.rate, options.block, options.seconds, busy=busy)
            if not busy:
                what = f"{options.channels} ch x {options.rate / 1e3:g} kHz"
                lines.append(recovery(what, path, options.seconds))
        if options.hour:
            journal_of(Path(folder) / "hour.zmj", options.hour)
            lines.append(recovery("64 ch x 1 kHz in blocks of 10", Path(folder) / "hour.zmj", options.hour, "5 s"))
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
