"""Hours at the real rate: the window's memory and references to None while it paints a running instrument.

    python benchmarks/soak.py [--hours 2] [--settle 300] [--source SOURCE]

Acquisition and processing are the real commands, two processes; the window is here, offscreen. Prints a line a minute
and at the end the slope of the memory after the first minutes (bar 1 MB/h) and how far `sys.getrefcount(None)` went
(PySide6 6.12 loses references on Python 3.11 until the process aborts).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

import numpy as np
import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.instrument import running
from zeromag.viz.receiver import following
from zeromag.viz.window import Window


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--settle", type=float, default=300.0, help="s that do not count: rings and caches fill")
    parser.add_argument("--every", type=float, default=60.0, help="s between two looks")
    parser.add_argument("--source", default="sim:adult")
    options = parser.parse_args()
    app, process, begin = QApplication([]), psutil.Process(), time.monotonic()
    seen: list[tuple[float, float, int]] = []  # s, MB, references

    def look() -> None:
        seen.append((time.monotonic() - begin, process.memory_info().rss / 1e6, sys.getrefcount(None)))
        print(f"{seen[-1][0]:7.0f} s  {seen[-1][1]:7.2f} MB  {seen[-1][2]:8} references to None", flush=True)
        if seen[-1][0] >= 3600 * options.hours:
            app.quit()

    with (
        running("acquire", options.source, word="endpoint") as first,
        running("process", "--from", first, word="endpoint") as second,
        following(second) as feed,
    ):
        window = Window(feed)
        window.show()
        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(round(1000 * options.every))
        app.exec()
    counted = np.array([row for row in seen if row[0] >= options.settle])
    if len(counted) < 3:
        raise SystemExit("too short: fewer than three looks after it has settled")
    slope = float(np.polyfit(counted[:, 0] / 3600, counted[:, 1], 1)[0])
    drift = int(counted[-1, 2] - counted[0, 2])
    print(f"{slope:+.2f} MB/h after {options.settle:.0f} s (bar 1); references to None {drift:+d}")


if __name__ == "__main__":
    main()
