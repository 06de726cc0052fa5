"""From the sensor to the pixel: each picture's newest sample, its time at the device, and when the picture was drawn.

    python -m benchmarks.latency [--seconds 20] [--source SOURCE]

The window draws at its own pace. The same figure is shown in the window's head and left as a note in what it records.
"""

from __future__ import annotations

import argparse

from PySide6.QtCore import QTimer

from benchmarks.watched import watched

SETTLE = 8.0  # s before the first picture counts


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--source", default="sim:adult?rows=8&columns=8")
    options = parser.parse_args()
    with watched(options.source) as (app, _, window):
        QTimer.singleShot(round(1000 * SETTLE), window.latency.clear)
        QTimer.singleShot(round(1000 * (SETTLE + options.seconds)), app.quit)
        app.exec()
        spread, count = window.latency.quantiles(), window.latency.count
    if spread is None:
        raise SystemExit("no picture was drawn")
    print(f"{count} pictures: sensor to pixel p50 {spread[0]:.0f} ms (bar 60), p99 {spread[1]:.0f} ms (bar 150)")


if __name__ == "__main__":
    main()
