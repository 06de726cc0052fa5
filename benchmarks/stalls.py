"""What the processing does for each block of a live stream, and at which it takes longest: CPU time of its own thread.

    python -m benchmarks.stalls [--source SOURCE] [--block 10] [--seconds 20] [--worst 6]

The scan and the words to its viewers are those of `zeromag process`, in one process and without a network. CPU time of
the thread does not count what others do on the machine; what is made beside the stream stands apart, the beats of a
large array among it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import numpy as np

from zeromag.acquire.message import Result
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.live.broadcast import Broadcast
from zeromag.live.process import SWITCH, is_large
from zeromag.live.warm import warm
from zeromag.scan.cleaning_log import CleaningLog
from zeromag.scan.scan import Scan, Scanned
from zeromag.session import Session

PAUSE = 0.002  # s after each block, so that what is made beside the stream is made in time


class Nobody:
    """Takes what a publisher takes."""

    def __call__(self, block: Block) -> None:
        """Take a block."""

    def result(self, result: Result) -> None:
        """Take a result."""

    def end(self, samples: int, reason: str = "") -> None:
        """Take the end."""


def main() -> None:
    """Run, and print the longest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="sim:adult?rows=8&columns=8&seconds=15")
    parser.add_argument("--block", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of the stream; the source's own length")
    parser.add_argument("--worst", type=int, default=6)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH)
    warm(lambda *_: None)
    spent = list[tuple[float, float]]()  # ms, s
    with closing(open_source(options.source, block=options.block).blocks()) as blocks:
        began = _carry(blocks, Session(source=options.source), options.seconds, spent)
    seconds, beside = spent[-1][1] - spent[0][1], time.process_time() - began
    stream = sum(one for one, _ in spent) / 1e3
    print(f"CPU for a second of the stream: {stream / seconds:.3f} s in its thread, {beside / seconds:.3f} s beside it")
    p50, p99 = np.percentile([one for one, _ in spent], [50, 99])
    print(f"CPU of the stream's thread for a block: median {p50:.2f} ms, 99th percentile {p99:.1f} ms; the longest:")
    for one, at in sorted(spent, reverse=True)[: options.worst]:
        print(f"  {one:6.1f} ms at {at:6.2f} s")


def _price(cleaning: CleaningLog) -> None:
    _ = cleaning.costs


def _carry(blocks: Iterator[Block], session: Session, seconds: float, spent: list[tuple[float, float]]) -> float:
    """Scan and tell, and note what each block took; return this thread's share of the process's CPU time."""
    scan: Scan | None = None
    broadcast: Broadcast | None = None
    priced, own, process = False, time.thread_time(), time.process_time()

    def tell(scanned: Scanned) -> None:
        nonlocal priced
        if scan is not None and broadcast is not None:
            broadcast(scanned)
            priced = priced or broadcast.leisure.begin(partial(_price, scan.cleaning)) is not None

    for block in blocks:
        if scan is None:
            own, process = time.thread_time(), time.process_time()  # without what the source took to begin
        before = time.thread_time()
        if scan is None:
            scan = Scan(block, session, obey=True, aside=is_large(block), tell=tell)
            broadcast = Broadcast(Nobody(), scan, session, recording=False)
        scan(block, Nobody())
        spent.append((1e3 * (time.thread_time() - before), block.first / block.rate))
        if block.stop >= seconds * block.rate:
            break
        time.sleep(PAUSE)
    return process + time.thread_time() - own


if __name__ == "__main__":
    main()
