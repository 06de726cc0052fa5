"""Review: a process scans the recording into a timeline, and who looks at it reads that timeline while it grows."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zeromag import __version__
from zeromag.acquire.message import Description
from zeromag.acquire.source import Source, open_source
from zeromag.errors import InputError, ZeromagError
from zeromag.live.broadcast import Broadcast, Pace
from zeromag.live.child import Child
from zeromag.scan.scan import Scan
from zeromag.session import Session
from zeromag.viz.feed import Feed
from zeromag.viz.review import Review
from zeromag.viz.timeline import Timeline, TimelineWriter

BLOCK = 100  # samples; larger than live, since only the moment at which a beat is told depends on it
PACE = Pace(
    maps=0.0, status=1.0, average=10.0, patient=True
)  # a look of the gate takes a second; maps are made of the samples at which one looks
TOLD = 1000  # samples between two words on how far the scan is

Announce = Callable[[Mapping[str, object]], None]


def scan_into(folder: Path, session: Session, announce: Announce, stop: Callable[[], bool]) -> None:
    """Scan the session's source into a timeline in `folder`, telling how far it has come.

    Raises
    ------
    ZeromagError
        The recording cannot be read to its end, or the disk is full; what was scanned until then can be looked at.
    """
    source = open_source(session.source, block=BLOCK)
    announce({"samples": getattr(source, "samples", 0)})
    if getattr(source, "seconds", 0.0) == float("inf"):
        raise InputError(f"{session.source} has no end and cannot be reviewed: `zeromag live` shows it")
    scan = _scanned(folder, source, session, announce, stop)
    if scan is None:
        raise InputError(f"{session.source} holds no sample")


def _scanned(
    folder: Path, source: Source, session: Session, announce: Announce, stop: Callable[[], bool]
) -> Scan | None:
    scan: Scan | None = None
    writer: TimelineWriter | None = None
    told, failure = 0, None
    try:
        for block in source.blocks():
            if stop():
                return scan
            if scan is None or writer is None:
                scan = Scan(block, session)
                about = Description(
                    source.sensors, source.rate, session=session.as_dict(), version=__version__, source=session.source
                )
                writer = TimelineWriter(folder, about, block.first)
                threading.Thread(target=_costs, args=(scan,), name="heart meter", daemon=True).start()
                broadcast = Broadcast(writer, scan, session, recording=False, pace=PACE)
            broadcast(scan(block, writer))
            if block.stop - told >= TOLD:
                told = block.stop
                announce({"scanned": writer.written})
    except ZeromagError as error:
        failure = error
    if scan is not None and writer is not None:
        with writer:
            broadcast.finish(scan.finish())
            announce({"scanned": writer.written})
    if failure is not None:
        raise failure
    return scan


def _costs(scan: Scan) -> None:
    """Reckon beside the scan what cleaning costs, as the running processing does."""
    _ = scan.cleaning.costs


@contextmanager
def reviewing(session: Session, notes: tuple[str, ...] = ()) -> Generator[Review, None, None]:
    """Give the review of a recording while a process of its own scans it; both are gone on leaving."""
    with tempfile.TemporaryDirectory(prefix="zeromag-review-") as name:
        folder = Path(name)
        review = Review(Timeline(folder), Feed(), session.source)
        review.notes.extend(notes)
        child = Child("scan", ["view", "--scan-to", name], lambda _, news: review.news.put(news))
        child.tell(json.dumps(session.as_dict()))
        try:
            yield review
        finally:
            child.ended(patience=5.0)
