"""Process B: blocks of a running stream through the scan, and what comes out of it back on the wire."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zeromag import __version__
from zeromag.acquire.control import Control
from zeromag.acquire.endpoint import is_local
from zeromag.acquire.message import Description, End
from zeromag.acquire.order import Change, Order, Reply
from zeromag.acquire.publisher import ANYWHERE_LOCAL, Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import LinkError
from zeromag.live.broadcast import Broadcast
from zeromag.live.leisure import Leisure
from zeromag.live.sparse import Sparse
from zeromag.scan.chosen import calibrated
from zeromag.scan.cleaning_log import CleaningLog
from zeromag.scan.scan import Scan, Scanned
from zeromag.scan.thinned import factor_of
from zeromag.session import Session

SILENCE = 2.0  # s without a block after which it is said
HUSH = 1.0  # s without a word after which nothing is on its way any more: a busy machine may keep back what is
UNTIL_SEEN = 3.0  # s that an order to change settings waits for the first block
LARGE = 1e6  # samples a second, of all channels, from which beats are taken on a thread of their own
SWITCH = 2e-4  # s that the gate's thread may keep a block waiting, each time a kernel gives the interpreter away

Announce = Callable[[Mapping[str, object]], None]


def process(
    endpoint: str,
    *,
    session: Session,
    out: Path | None,
    stop: threading.Event,
    announce: Announce,
    bind: str = ANYWHERE_LOCAL,
    keys: Path | None = None,
    drain: float = 0.0,
) -> None:
    """Follow the stream at `endpoint` from its first block to its end, then write the results.

    An acquisition that falls silent is waited for: it may be restarted, or the machine be busy. Once `stop` is
    set, what is still on its way is taken for at most `drain` seconds.

    Raises
    ------
    LinkError
        If nothing answers at `endpoint`.
    """
    sys.setswitchinterval(SWITCH)
    with Subscription(endpoint, keys, reconnect=True) as source:
        session = session.calibrated_like(source.description.session)
        factor = factor_of(session, source.rate)
        description = Description(
            calibrated(source.sensors, session), source.rate / factor, session=_told(session),
            version=__version__, source=session.source, recording=source.description.recording,
        )  # fmt: skip
        with Control(endpoint, keys) as control:
            work = _Processing(session, out, announce, control)
            desk = work.order if source.description.control else None
            with Publisher(description, bind=bind, keys=None if is_local(bind) else keys, desk=desk) as publisher:
                announce({"endpoint": publisher.endpoint})
                work.follow(source, publisher, stop, drain)


def _told(session: Session) -> dict[str, Any]:
    """Return the session as viewers are told it: what they see is calibrated already."""
    return session.as_dict() | {"calibration": {}}


def is_large(block: Block) -> bool:
    """Return whether beats of such a stream are taken on a thread of their own: one takes longer than its blocks."""
    return len(block.sensors) * block.rate >= LARGE and (os.cpu_count() or 1) > 1


class _Processing:
    """The scan, begun with the first block, and the results, written however the stream ends."""

    def __init__(self, session: Session, out: Path | None, announce: Announce, control: Control) -> None:
        self._session = session
        self._out = out
        self._announce = announce
        self._control = control
        self._scan: Scan | None = None
        self._seen = threading.Event()  # a scan has begun
        self._broadcast: Broadcast | None = None
        self._shown: Session | None = None  # the settings that viewers were told of last
        self._sparse: Sparse | None = None  # between the two: what of it all is told
        self._parts = 1  # streams that there were
        self._send: Callable[[Block], None] | None = None  # over LSL
        self._usable: tuple[str, bool] = ("", False)  # what was announced of it last
        self._priced: CleaningLog | None = None  # what the price is known of, or being measured
        self._lost = 0  # frames that nobody had any more

    def order(self, order: Order) -> Reply:
        """Hand an order on to the acquisition, unless it asks for settings that could not work here."""
        if isinstance(order, Change):
            scan = self._scan if self._seen.wait(UNTIL_SEEN) else None  # on the desk's own thread: nobody else waits
            if scan is None:
                raise LinkError("settings are tried on the array, and no sample has come yet: give the order again")
            scan.fits(scan.session.changed(**order.settings))
        return self._control.order(order)

    def follow(self, source: Subscription, publisher: Publisher, stop: threading.Event, drain: float) -> None:
        """Scan to the end; a stream that cannot go on still leaves the results of what had come."""
        if self._session.lsl.filtered:
            from zeromag.acquire.lsl import LslOutlet

            self._send = LslOutlet(publisher.description.sensors, source.rate, self._session.lsl.filtered)
        try:
            self._carry(source, publisher, stop, drain)
        finally:
            self._finish(over=True)
            self._send = None  # only now: LSL drops what is still on its way when its outlet goes

    def _carry(self, source: Subscription, publisher: Publisher, stop: threading.Event, drain: float) -> None:
        heard, waiting, asked = time.monotonic(), False, float("inf")
        while True:
            message = source.receive(0.1)
            now = time.monotonic()
            if stop.is_set():
                asked = min(asked, now)
                hushed = message is None and now - max(heard, asked) >= HUSH
                if hushed or now - asked >= drain:
                    break
            if message is not None:
                heard, waiting = now, False
            elif now - heard > SILENCE and not waiting:
                waiting = True
                self._announce({"say": f"no word from the acquisition for {SILENCE:g} s: waiting for it"})
            if isinstance(message, Block):
                self._take(message, publisher, source.lost)
            elif isinstance(message, Description):
                self._described(message, publisher)
            elif isinstance(message, End):
                break

    def _take(self, block: Block, publisher: Publisher, lost: int) -> None:
        if self._scan is not None and not self._scan.takes(block):
            self._end_part(block, publisher)
        if self._scan is None or self._broadcast is None:
            self._scan = Scan(block, self._session, obey=True, aside=is_large(block), tell=self._tell)
            recording = publisher.description.recording
            self._sparse = sparse = Sparse(publisher, factor_of(self._session, block.rate))
            self._broadcast = Broadcast(
                sparse, self._scan, self._session, recording=recording, upstream=self._control.endpoint
            )
            self._shown = self._scan.session
            self._announce({"say": self._scan.reason})
            self._seen.set()
        scan, before, reason = self._scan, self._scan.session, self._scan.reason
        self._lost = lost
        scan(block, partial(self._show, scan, publisher))
        if scan.session is not before or scan.reason != reason:
            self._announce({"say": scan.reason})
        self._tell_usable(self._broadcast)

    def _tell(self, scanned: Scanned) -> None:
        """Publish what was made of cleaned samples, on the thread that made it."""
        if self._broadcast is not None and self._scan is not None:
            self._broadcast(scanned, lost=self._lost)
            self._price(self._scan.cleaning, self._broadcast.leisure)

    def _show(self, scan: Scan, publisher: Publisher, cleaned: Block) -> None:
        """Publish cleaned samples, and before the first of them that other settings made, these."""
        if scan.session is not self._shown:
            self._shown = scan.session
            publisher.describe(_told(scan.session))
            self._tell_rate(cleaned, scan.session, publisher)
        if self._sparse is not None:
            self._sparse(cleaned)
        if self._send is not None:
            self._send(cleaned)

    def _tell_rate(self, block: Block, session: Session, publisher: Publisher) -> None:
        """Go over to another rate when the settings leave something in more samples, or in fewer."""
        factor = factor_of(session, block.rate)
        if self._sparse is not None and factor != self._sparse.factor:
            publisher.renew(publisher.description.sensors, block.rate / factor, None)
            self._sparse.factor = factor

    def _tell_usable(self, broadcast: Broadcast) -> None:
        """Announce what the gate says whenever that changes, and once that the scan is precise enough for good."""
        news = (broadcast.usable["answer"], broadcast.settled)
        if news != self._usable:
            self._usable = news
            self._announce({"usable": news[0], "settled": news[1], "reasons": broadcast.usable["reasons"][:3]})

    def _end_part(self, block: Block, publisher: Publisher) -> None:
        """Write the results of what came before the source became another one, and go on with that."""
        self._announce({"say": "the source has other channels or another rate now: what follows is a scan of its own"})
        self._finish(over=False)
        self._scan = self._broadcast = None
        self._parts += 1
        rate = block.rate / factor_of(self._session, block.rate)
        publisher.renew(calibrated(block.sensors, self._session), rate, None)

    def _price(self, cleaning: CleaningLog, leisure: Leisure) -> None:
        """Have the price of what the scan is cleaned by measured beside the stream, once there is time for it."""
        if cleaning is not self._priced and leisure.begin(lambda: cleaning.costs) is not None:
            self._priced = cleaning

    def _described(self, description: Description, publisher: Publisher) -> None:
        """Tell the viewers when the acquisition begins or ends a recording."""
        publisher.describe(recording=description.recording)
        if self._broadcast is not None:
            self._broadcast.recording = description.recording

    def _finish(self, *, over: bool) -> None:
        if self._scan is None or self._broadcast is None:
            return
        outcome = self._scan.finish()
        self._broadcast.finish(outcome, over=over)
        if self._out is None:
            return
        from zeromag.output.folder import write_results
        from zeromag.output.ready import ready

        out = self._out if self._parts == 1 else ready(self._out / f"part-{self._parts}")
        write_results(out, outcome, self._session)
        self._announce({"say": f"{outcome.in_words()}; the results are in {out}"})
