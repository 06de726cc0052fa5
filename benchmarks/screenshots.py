"""Makes the pictures of the README from a real run of the simulated heart: window and report.

    python benchmarks/screenshots.py [--seconds 60] [--out docs/images] [--all]

Starts `zeromag live --headless`, joins its stream with a window that paints offscreen, grabs it, and turns the first
page of the report the run leaves into a picture (needs `pdftoppm`: apt-get install poppler-utils). `--all` adds every
layout in both themes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

import numpy as np
from PySide6.QtWidgets import QApplication

from zeromag.viz.feed import Feed
from zeromag.viz.layouts import LAYOUTS
from zeromag.viz.receiver import following
from zeromag.viz.theme import THEMES
from zeromag.viz.window import Window

BEATS = 15  # in the average before the picture is taken


def endpoint_of(process: subprocess.Popen[str]) -> str:
    """Return the address that a started `zeromag live` tells others."""
    for line in process.stderr or ():
        print(line, end="", file=sys.stderr)
        if "--from" in line:
            return line.split()[-1]
    raise SystemExit("zeromag live ended before it told an address")


def whole(feed: Feed) -> bool:
    """Return whether the traces have no hole: a machine that still compiles or catches up drops pictures."""
    if feed.stream is None or feed.stream.values.stop < 8 * feed.stream.rate:
        return False
    rows, _ = feed.stream.values.newest(int(8 * feed.stream.rate))
    return bool(np.isfinite(rows).all())


def watch(app: QApplication, feed: Feed, seconds: float) -> None:
    """Let the window live until the normal average has enough beats and the newest map shows a QRS, or time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and feed.ended is None:
        app.processEvents()
        time.sleep(0.01)
        average = feed.averages.get("normal")
        if average is not None and average.nave >= BEATS and feed.map is not None and whole(feed):
            seen = abs(feed.map.bz[feed.map.grid.mask]).max(initial=0.0)
            if seen > 0.7 * feed.scale.limit:
                return


def grab(app: QApplication, feed: Feed, out: Path, everything: bool, seconds: float) -> None:
    """Write the pictures of the window."""
    window = Window(feed)
    window.show()
    watch(app, feed, seconds)
    window.tick()
    window.grab().save(str(out / "window.png"))
    if everything:
        for layout in LAYOUTS:
            for theme in THEMES.values():
                window.arrange(layout)
                window.wear(theme)
                for _ in range(30):
                    app.processEvents()
                    time.sleep(0.03)
                window.grab().save(str(out / f"window-{layout}-{theme.name}.png"))
    window.close()


def main() -> None:
    """Run, grab, convert."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "zeromag", "live", "--headless", "--seconds", str(options.seconds)]
        with subprocess.Popen([*command, "--out", folder], stderr=subprocess.PIPE, text=True) as process:
            with following(endpoint_of(process)) as feed:
                grab(app, feed, options.out, options.all, options.seconds)
            print((process.communicate()[1] or "").strip(), file=sys.stderr)
        report = Path(folder) / "report.pdf"
        if shutil.which("pdftoppm") and report.exists():
            picture = options.out / "report"
            subprocess.run(
                ["pdftoppm", "-r", "75", "-f", "1", "-l", "1", "-singlefile", "-png", str(report), str(picture)],
                check=True,
            )
    for picture in sorted(options.out.glob("*.png")):
        print(f"{picture}: {picture.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
