"""Makes the pictures of the README from a real run of the simulated heart: window and report.

    python benchmarks/screenshots.py [--source sim:adult?seconds=40] [--out docs/images] [--all]

The scan and everything it tells its viewers are those of `zeromag live`; only the processes are one here, so that the
picture does not depend on how busy the machine is. The report's first page needs `pdftoppm` (apt-get install
poppler-utils). `--all` adds every layout in both themes; with `QT_SCALE_FACTOR=2` in the
environment they are those of a fine screen.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

from PySide6.QtWidgets import QApplication

from zeromag.acquire.message import End, Result
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.live.broadcast import LIVE, Broadcast
from zeromag.output.folder import write_results
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan
from zeromag.session import Session
from zeromag.viz.feed import Feed
from zeromag.viz.layouts import LAYOUTS
from zeromag.viz.status import read_status
from zeromag.viz.theme import THEMES
from zeromag.viz.window import Window

PEAK = 0.8  # of the scale: the picture is taken at an R peak
BEATS = 20  # in the average by then


class Direct:
    """Takes what a publisher takes and gives it straight to a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def __call__(self, block: Block) -> None:
        """Take a block."""
        self._feed.block(block)

    def result(self, result: Result) -> None:
        """Take a result."""
        self._feed.take(result)

    def end(self, samples: int, reason: str = "") -> None:
        """Take the end."""
        self._feed.take(End(samples, reason))


def follow(session: Session, feed: Feed) -> tuple[Outcome, bool]:
    """Run the whole source into the feed; stop feeding at an R peak late in it."""
    scan: Scan | None = None
    fed = True
    for block in open_source(session.source, block=10).blocks():
        if scan is None:
            scan = Scan(block, session)
            direct = Direct(feed)
            tell = Broadcast(direct, scan, session, recording=True, pace=replace(LIVE, patient=True))
        piece = scan(block, direct if fed else None)
        if fed:
            tell(piece)
            fed = not peak(feed)
    if scan is None:
        raise SystemExit(f"{session.source} holds no sample")
    outcome = scan.finish()
    status = {"cleaning": outcome.cleaning, "chain_reason": outcome.chain_reason}  # measured beside the stream
    feed.status = replace(feed.status, cleaning=read_status(status).cleaning, chain_reason=outcome.chain_reason)
    return outcome, not fed


def peak(feed: Feed) -> bool:
    """Return whether the newest map is that of an R peak and the average has enough beats."""
    average, shown = feed.averages.get("normal"), feed.map
    if average is None or average.nave < BEATS or shown is None:
        return False
    return float(abs(shown.bz[shown.grid.mask]).max(initial=0.0)) > PEAK * feed.scale.limit


def grab(app: QApplication, feed: Feed, out: Path, everything: bool, size: tuple[int, int]) -> None:
    """Write the pictures of the window."""
    window = Window(feed)
    window.resize(*size)
    window.show()
    looks = [("clinic", THEMES["dark"], "window.png")]
    if everything:
        looks += [
            (layout, theme, f"window-{layout}-{theme.name}.png") for layout in LAYOUTS for theme in THEMES.values()
        ]
    for layout, theme, name in looks:
        window.arrange(layout)
        window.wear(theme)
        for _ in range(3):
            window.tick(feed.arrived_ns)
            app.processEvents()
            window.film.film.wait()
        window.tick(feed.arrived_ns)
        window.grab().save(str(out / name))
    window.close()


def main() -> None:
    """Run, grab, convert."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="sim:adult?seconds=40")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 800), help="of the window")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    app, feed = QApplication([]), Feed()
    session = Session(source=options.source, subject="P017")
    outcome, found = follow(session, feed)
    if not found:
        print("no R peak was met: the picture is of the end")
    feed.arrived_ns = time.monotonic_ns()
    grab(app, feed, options.out, options.all, tuple(options.size))
    with tempfile.TemporaryDirectory() as folder:
        write_results(Path(folder), outcome, session)
        if shutil.which("pdftoppm"):
            command = ["pdftoppm", "-r", "75", "-f", "1", "-l", "1", "-singlefile", "-png"]
            subprocess.run([*command, f"{folder}/report.pdf", str(options.out / "report")], check=True)
    for picture in sorted(options.out.glob("*.png")):
        print(f"{picture}: {picture.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
