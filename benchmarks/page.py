"""The page on a running instrument: pictures a second in a headless Chromium, and what many viewers cost acquisition.

    python benchmarks/page.py [--viewers 50] [--seconds 5] [--turns 4] [--source SOURCE]

Acquisition, processing and page are the real commands, three processes. A block's latency is from its arrival at the
device to a reader of the acquisition's own stream, in a process of its own. Turns without and with viewers alternate,
so that a busy machine troubles both alike; the ratio of the two 99th percentiles is what the viewers cost.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect
from websockets.typing import Origin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.browser import Browser, chromium
from tests.instrument import running
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block

SOURCE = "sim:adult?rows=8&columns=8"


class Probe:
    """Reads the acquisition's stream on a thread; `take` gives the latencies (ms) since it was asked last."""

    def __init__(self, endpoint: str) -> None:
        self._taken: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(endpoint,), daemon=True)
        self._thread.start()

    def _read(self, endpoint: str) -> None:
        with Subscription(endpoint, newest_only=True) as stream:
            while not self._stop.is_set():
                message = stream.receive(0.1)
                if isinstance(message, Block) and message.t_ns:
                    self._taken.append((time.monotonic_ns() - message.t_ns) / 1e6)

    def take(self) -> list[float]:
        """Return the latencies so far and begin anew."""
        taken, self._taken = self._taken, []
        return taken

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()


async def view(url: str, viewers: int) -> None:
    """Be so many viewers until the standard input ends."""

    async def one() -> None:
        async with connect(
            url.replace("http", "ws") + "stream", origin=Origin(url.rstrip("/")), max_size=None
        ) as stream:
            async for _ in stream:
                pass

    tasks = [asyncio.create_task(one()) for _ in range(viewers)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()


@contextmanager
def viewing(url: str, viewers: int) -> Iterator[None]:
    """Have viewers in a process of their own."""
    command = [sys.executable, __file__, "--be-viewers", url, "--viewers", str(viewers)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        time.sleep(3.0)  # they connect
        yield
    finally:
        process.communicate()


def pictures(url: str, seconds: float) -> tuple[float, float]:
    """Return how many pictures a second a headless Chromium draws, and the CPU time (ms) all of it takes for one."""
    import psutil

    def spent(processes: list[Any]) -> float:
        return float(sum(sum(process.cpu_times()[:2]) for process in processes))

    with Browser(url) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && ring.stop > 0", 60)
        whole = [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]
        browser.value("{ const original = drawTraces; drawn = 0; drawTraces = () => { drawn++; original(); }; } 1")
        begin, before = time.monotonic(), spent(whole)
        time.sleep(seconds)
        count, passed, cost = float(browser.value("drawn")), time.monotonic() - begin, spent(whole) - before
    return count / passed, 1e3 * cost / max(count, 1.0)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--source", default=SOURCE)
    parser.add_argument("--be-viewers", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_viewers:
        asyncio.run(view(options.be_viewers, options.viewers))
        return
    with (
        running("acquire", options.source, word="endpoint") as first,
        running("process", "--from", first, word="endpoint") as second,
        running("view", "--web", "--from", second, word="url") as url,
    ):
        if chromium() is not None:
            rate, cost = pictures(url, 2 * options.seconds)
            print(f"headless Chromium: {rate:.1f} pictures a second (bar 25), {cost:.0f} ms of all its CPU each")
        probe = Probe(first)
        alone: list[float] = []
        among: list[float] = []
        for _ in range(options.turns):
            time.sleep(1.0)
            probe.take()
            time.sleep(options.seconds)
            alone += probe.take()
            with viewing(url, options.viewers):
                probe.take()
                time.sleep(options.seconds)
                among += probe.take()
        probe.close()
    for name, taken in (("without viewers", alone), (f"{options.viewers} viewers", among)):
        p50, p99 = np.percentile(np.array(taken), [50, 99])
        print(f"{name:<16} {len(taken):6} blocks: latency p50 {p50:.2f}, p99 {p99:.2f} ms")
    ratio = np.percentile(np.array(among), 99) / np.percentile(np.array(alone), 99)
    print(f"p99 with viewers / without: {ratio:.2f} (bar 1.2)")


if __name__ == "__main__":
    main()
