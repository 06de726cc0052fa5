"""What the processing does for each block of a live stream, and at which it takes longest: CPU time of its own thread.

    python -m benchmarks.stalls [--source SOURCE] [--worst 6]

The scan and the words to its viewers are those of `zeromag process`, in one process and without a network. CPU time of
the thread does not count what others do on the machine; what is made on threads beside it is left out, as it should be.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

import numpy as np

from zeromag.acquire.message import Result
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.live.broadcast import Broadcast
from zeromag.live.process import SWITCH, warm
from zeromag.scan.scan import Scan
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
    parser.add_argument("--worst", type=int, default=6)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH)
    warm(lambda *_: None)
    session, spent = Session(source=options.source), []
    scan: Scan | None = None
    for block in open_source(session.source, block=10).blocks():
        if scan is None:
            scan = Scan(block, session, obey=True)
            tell = Broadcast(Nobody(), scan, session, recording=False)
            cleaning = scan.cleaning
            threading.Thread(target=lambda log=cleaning: log.costs, daemon=True).start()
        before = time.thread_time()
        tell(scan(block))
        spent.append((1e3 * (time.thread_time() - before), block.first / block.rate))
        time.sleep(PAUSE)
    p50, p99 = np.percentile([one for one, _ in spent], [50, 99])
    print(f"CPU of the stream's thread for a block: median {p50:.2f} ms, 99th percentile {p99:.1f} ms; the longest:")
    for one, at in sorted(spent, reverse=True)[: options.worst]:
        print(f"  {one:6.1f} ms at {at:6.2f} s")


if __name__ == "__main__":
    main()
