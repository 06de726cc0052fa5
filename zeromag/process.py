"""Process B: blocks of a running stream through the scan, and what comes out of it back on the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from zeromag import __version__
from zeromag.acquire.message import Description, End
from zeromag.acquire.publisher import ANYWHERE_LOCAL, Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.broadcast import Broadcast
from zeromag.errors import SourceLostError
from zeromag.scan import Scan
from zeromag.session import Session

Announce = Callable[[Mapping[str, object]], None]


def process(
    endpoint: str,
    *,
    session: Session,
    out: Path | None,
    stop: threading.Event,
    announce: Announce,
    bind: str = ANYWHERE_LOCAL,
) -> None:
    """Follow the stream at `endpoint` from its first block to its end, then write the results.

    Raises
    ------
    LinkError
        If nothing answers at `endpoint`.
    SourceLostError
        If the acquisition dies; the results of what had arrived are written before.
    """
    with Subscription(endpoint) as source:
        description = Description(
            source.sensors, source.rate, session=session.as_dict(), version=__version__, source=session.source
        )
        with Publisher(description, bind=bind) as publisher:
            announce({"endpoint": publisher.endpoint})
            _Processing(publisher, session, out, announce).follow(source, stop)


def warm(progress: Callable[[int, int], None]) -> None:
    """Compile or load every kernel on a small made-up heart, so that nothing is compiled once samples flow."""
    from zeromag.acquire.simulate import simulation

    source = simulation("sim:adult?seconds=8&rate=250&heart_rate=90", block=50)
    scan: Scan | None = None
    for done, block in enumerate(source.blocks()):
        scan = scan or Scan(block, Session())
        scan(block)
        progress(done + 1, 40)
    if scan is not None:
        scan.live_map()
        scan.averages()


class _Processing:
    """The scan, begun with the first block, and the results, written however the stream ends."""

    def __init__(self, publisher: Publisher, session: Session, out: Path | None, announce: Announce) -> None:
        self._publisher = publisher
        self._session = session
        self._out = out
        self._announce = announce
        self._scan: Scan | None = None
        self._broadcast: Broadcast | None = None

    def follow(self, source: Subscription, stop: threading.Event) -> None:
        lost: SourceLostError | None = None
        try:
            while not stop.is_set():
                message = source.receive(0.1)
                if isinstance(message, Block):
                    self._take(message, source.lost)
                elif isinstance(message, End):
                    break
        except SourceLostError as error:
            lost = error
        self._finish()
        if lost is not None:
            raise lost

    def _take(self, block: Block, lost: int) -> None:
        if self._scan is None or self._broadcast is None:
            scan = self._scan = Scan(block, self._session)
            self._broadcast = Broadcast(self._publisher, self._scan, self._session, recording=self._out is not None)
            self._announce({"say": self._scan.reason})
            threading.Thread(target=lambda: scan.cleaning.costs, name="heart meter", daemon=True).start()
        self._broadcast(self._scan(block), lost=lost)

    def _finish(self) -> None:
        if self._scan is None or self._broadcast is None:
            return
        outcome = self._scan.finish()
        self._broadcast.finish(outcome)
        if self._out is None:
            return
        from zeromag.output.folder import write_results

        write_results(self._out, outcome, self._session)
        self._announce({"say": f"{outcome.in_words()}; the results are in {self._out}"})
