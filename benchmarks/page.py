"""The page on a running instrument: pictures a second in a headless Chromium, and what many viewers cost acquisition.

    python benchmarks/page.py [--viewers 50] [--seconds 5] [--turns 4] [--source SOURCE]

Acquisition, processing and page are the real commands, three processes. A block's latency is from its arrival at the
device to a reader of the acquisition's own stream, in a process of its own. Turns without and with viewers alternate,
so that a busy machine troubles both alike; the ratio of the two 99th percentiles is what the viewers cost. The viewers
stand for other machines: one process for all, which only takes what comes and says so, behind everything else (`nice`).
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

import numpy as np

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


class Viewer:
    """A viewer that takes frames off its line without looking inside, and acknowledges them as the page does."""

    def __init__(self, url: str) -> None:
        host = url.split("/")[2]
        name, port = host.split(":")
        self.line = socket.create_connection((name, int(port)))
        self.line.sendall(
            f"GET /stream HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            .encode()
        )  # fmt: skip
        self._held = b""
        while b"\r\n\r\n" not in self._held:
            self._held += self.line.recv(4096)
        self._held = self._held.split(b"\r\n\r\n", 1)[1]
        self._left = self.frames = 0

    def take(self) -> None:
        """Take what has come."""
        data = self.line.recv(1 << 18)
        if not data:
            raise SystemExit("the page has sent a viewer away")
        if self._left >= len(data):
            self._left -= len(data)
            return
        self._held, self._left = self._held + data[self._left :], 0
        while len(self._held) >= 2:
            short = self._held[1] & 127
            head = 2 + {126: 2, 127: 8}.get(short, 0)
            if len(self._held) < head:
                return
            whole = head + (int.from_bytes(self._held[2:head], "big") if head > 2 else short)
            if self._held[0] & 15 == 2:
                self.frames += 1
                if self.frames % 3 == 0:
                    word = f"={self.frames}".encode()
                    self.line.sendall(bytes([0x81, 0x80 | len(word)]) + bytes(4) + word)  # masked by zeros
            self._left = max(0, whole - len(self._held))
            self._held = self._held[whole:]
            if self._left:
                return


def view(url: str, viewers: int) -> None:
    """Be so many viewers until the standard input ends, then print how many frames one of them got a second."""
    os.nice(10)
    begin, selector = time.monotonic(), selectors.DefaultSelector()
    people = [Viewer(url) for _ in range(viewers)]
    for one in people:
        selector.register(one.line, selectors.EVENT_READ, one)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                print(sum(one.frames for one in people) / viewers / (time.monotonic() - begin))
                return
            key.data.take()


class Viewing:
    """Viewers in a process of their own, while the `with` lasts; `rate` is then the frames a second of one of them."""

    def __init__(self, url: str, viewers: int) -> None:
        self._command = [sys.executable, __file__, "--be-viewers", url, "--viewers", str(viewers)]
        self.rate = float("nan")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(3.0)  # they connect
        return self

    def __exit__(self, *failure: object) -> None:
        said, _ = self._process.communicate("\n")
        self.rate = float(said or "nan")


def spent(word: str) -> float:
    """Return the CPU time (s) so far of the command of ours with this word in it."""
    import psutil

    for one in psutil.Process().children():
        if word in one.cmdline():
            return float(sum(one.cpu_times()[:2]))
    raise SystemExit(f"no process of {word}")


def pictures(url: str, seconds: float) -> tuple[float, float]:
    """Return how many pictures a second a headless Chromium draws, and the CPU time (ms) all of it takes for one."""
    import psutil

    def used(processes: list[Any]) -> float:
        return float(sum(sum(process.cpu_times()[:2]) for process in processes))

    with Browser(url) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && ring.stop > 0", 60)
        whole = [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]
        browser.value("{ const original = drawTraces; drawn = 0; drawTraces = () => { drawn++; original(); }; } 1")
        begin, before = time.monotonic(), used(whole)
        time.sleep(seconds)
        count, passed, cost = float(browser.value("drawn")), time.monotonic() - begin, used(whole) - before
    return count / passed, 1e3 * cost / max(count, 1.0)


def turn(probe: Probe, seconds: float, cost: dict[str, list[float]], which: int) -> list[float]:
    """Return the latencies of so many seconds, and add what the processes spent meanwhile."""
    before = {word: spent(word) for word in cost}
    probe.take()
    time.sleep(seconds)
    taken = probe.take()
    for word, both in cost.items():
        both[which] += spent(word) - before[word]
    return taken


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
        view(options.be_viewers, options.viewers)
        return
    with (
        running("acquire", options.source, word="endpoint") as first,
        running("process", "--from", first, word="endpoint") as second,
        running("view", "--web", "--from", second, word="url") as url,
    ):
        if chromium() is not None:
            rate, each_ms = pictures(url, 2 * options.seconds)
            print(f"headless Chromium: {rate:.1f} pictures a second (bar 25), {each_ms:.0f} ms of all its CPU each")
        probe = Probe(first)
        alone: list[float] = []
        among: list[float] = []
        cost = {"acquire": [0.0, 0.0], "--web": [0.0, 0.0]}  # s of CPU without and with viewers
        rates: list[float] = []
        for _ in range(options.turns):
            time.sleep(1.0)
            alone += turn(probe, options.seconds, cost, 0)
            with Viewing(url, options.viewers) as people:
                among += turn(probe, options.seconds, cost, 1)
            rates.append(people.rate)
        probe.close()
    for name, taken in (("without viewers", alone), (f"{options.viewers} viewers", among)):
        p50, p99 = np.percentile(np.array(taken), [50, 99])
        print(f"{name:<16} {len(taken):6} blocks: latency p50 {p50:.2f}, p99 {p99:.2f} ms")
    whole = options.turns * options.seconds
    shares = {word: [100 * one / whole for one in both] for word, both in cost.items()}
    for word, (before, after) in shares.items():
        print(f"CPU of {word.strip('-'):<8} {before:.1f} % of a core without, {after:.1f} % with viewers")
    each = 10 * (shares["--web"][1] - shares["--web"][0]) / options.viewers / max(float(np.mean(rates)), 1e-9)
    print(f"a viewer gets {np.mean(rates):.1f} pictures a second, each {each:.3f} ms of the page's CPU")
    ratio = np.percentile(np.array(among), 99) / np.percentile(np.array(alone), 99)
    print(f"p99 with viewers / without: {ratio:.2f} (bar 1.2)")


if __name__ == "__main__":
    main()
