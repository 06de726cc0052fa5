"""Hours at the real rate: memory, descriptors and loss of acquisition, processing and a window that paints.

    python -m benchmarks.soak [--hours 0.5] [--settle 420] [--source SOURCE]

The acquisition records. Prints a line a minute and at the end, for each of the three processes, the slope of its memory
after the first minutes (bar 1 MB/h), by a line and by one through the least of each quarter, its
descriptors then and at the end, what was lost, and how far `sys.getrefcount(None)` of the window went (PySide6 6.12
loses references on Python 3.11 until the process aborts).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from PySide6.QtCore import QTimer

from benchmarks.watched import watched
from zeromag.acquire.verify import verify
from zeromag.viz.garbage import collected_here


def looked(processes: dict[str, psutil.Process]) -> list[float]:
    """Return of each process its memory (MB) and descriptors."""
    return [value for each in processes.values() for value in (each.memory_info().rss / 1e6, each.num_fds())]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.5)
    parser.add_argument(
        "--settle", type=float, default=420.0, help="s that do not count: 64 MB for replay and other rings fill"
    )
    parser.add_argument("--every", type=float, default=60.0, help="s between two looks")
    parser.add_argument("--source", default="sim:adult?rows=8&columns=8")
    options = parser.parse_args()
    me = psutil.Process()
    seen: list[list[float]] = []  # s, references, then MB and descriptors of each process
    with tempfile.TemporaryDirectory() as folder:
        with watched(options.source, "--record", folder) as (app, feed, _):
            processes, begin = {"window": me}, time.monotonic()
            for child in me.children():
                processes |= {word: child for word in ("acquire", "process") if word in child.cmdline()}

            def look() -> None:
                seen.append([time.monotonic() - begin, sys.getrefcount(None), *looked(processes)])
                told = ", ".join(
                    f"{name} {seen[-1][2 + 2 * k]:.2f} MB {seen[-1][3 + 2 * k]:.0f} fds"
                    for k, name in enumerate(processes)
                )
                print(f"{seen[-1][0]:7.0f} s  {told}  {seen[-1][1]:.0f} references to None", flush=True)
                if seen[-1][0] >= 3600 * options.hours:
                    app.quit()

            timer = QTimer()
            timer.timeout.connect(look)
            timer.start(round(1000 * options.every))
            with collected_here():
                app.exec()
            status = feed.status
            told(seen, list(processes), options.settle)
            print(f"{status.samples} samples processed, {status.lost} frames lost, {status.gaps} gaps", flush=True)
        problems = [why for journal in Path(folder).glob("*.zmj") for why in verify(journal)]
    print("; ".join(problems) or "the journal is whole, block by block")


def told(seen: list[list[float]], names: list[str], settle: float) -> None:
    """Print what became of memory, descriptors and references after the first seconds."""
    counted = np.array([row for row in seen if row[0] >= settle])
    if len(counted) < 5:
        raise SystemExit("too short: fewer than five looks after it has settled")
    for k, name in enumerate(names):
        slope = slope_of(counted[:, 0], counted[:, 2 + 2 * k])
        then, now = counted[0, 3 + 2 * k], counted[-1, 3 + 2 * k]
        print(f"{name:8} {slope} after {settle:.0f} s (bar 1), descriptors {then:.0f} to {now:.0f}")
    print(f"references to None {counted[-1, 1] - counted[0, 1]:+.0f}")


def slope_of(seconds: NDArray[np.float64], megabytes: NDArray[np.float64]) -> str:
    """Return a line's slope with its standard error, and that through the least of each quarter of the time: MB/h.

    What is taken for a moment and given back troubles the first and not the second.
    """
    hours = seconds / 3600
    (slope, _), spread = np.polyfit(hours, megabytes, 1, cov=True)
    quarters = np.array_split(np.arange(len(hours)), 4)
    least = [int(quarter[np.argmin(megabytes[quarter])]) for quarter in quarters]
    at_rest = np.polyfit(hours[least], megabytes[least], 1)[0]
    return f"{slope:+.2f} ± {np.sqrt(spread[0, 0]):.2f} MB/h, at rest {at_rest:+.2f},"


if __name__ == "__main__":
    main()
