"""Where orders for a running acquisition wait for the boundary between two blocks, and are carried out there.

What meets the disk is done before or after on the thread that brought the order, so that no block waits for it.
"""

from __future__ import annotations

import contextlib
import queue
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from zeromag.acquire.journal import Journal
from zeromag.acquire.order import Change, Mark, Order, Record, Reply, State, Stop
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recorder import Recorder
from zeromag.block import Block
from zeromag.errors import InputError, LinkError, StorageError
from zeromag.event import Event
from zeromag.sensors import SensorArray
from zeromag.session import Session, changes, session_from

PATIENCE: Final = 2.0  # s until a block comes
FIXED: Final = ("source", "acquire.", "lsl.", "calibration")  # keys that cannot change while a source is open


@dataclass(frozen=True, slots=True)
class _Ticket:
    """One order on its way to the next block."""

    order: Order
    t_ns: int  # monotonic clock when it came
    journal: Journal | None = None  # opened for it
    answer: Future[tuple[Reply, Journal | None]] = field(default_factory=Future)


class Desk:
    """Callable with an order from the thread that answers; `before` is asked for each block by the one that acquires.

    `session` is what holds now.
    """

    def __init__(self, recorder: Recorder, session: dict[str, Any], journal: Journal | None = None) -> None:
        self.session, self.journal = session, journal
        self._recorder = recorder
        self._waiting: queue.SimpleQueue[_Ticket] = queue.SimpleQueue()
        self._sample = 0
        self._closed = False

    def __call__(self, order: Order) -> Reply:
        """Carry out one order, between two blocks; raises a ZeromagError when it cannot be."""
        now = time.monotonic_ns()
        if isinstance(order, State):
            return self._reply(self._sample)
        if isinstance(order, Change):
            self._changed(order)  # what does not fit is said before anything waits
        elif isinstance(order, Record) and self.journal is not None:
            raise LinkError(f"it records into {self.journal.path} already: stop that first")
        elif isinstance(order, Stop) and self.journal is None:
            raise LinkError("nothing is being recorded")
        ticket = _Ticket(order, now, self._recorder.opened(order.folder) if isinstance(order, Record) else None)
        try:
            reply, old = self._carried_out(ticket)
        except BaseException:
            if ticket.journal is not None:
                self._recorder.discarded(ticket.journal)
            raise
        if old is not None:
            self._recorder.finished(old)
        return reply

    def before(self, block: Block, publisher: Publisher) -> Block:
        """Carry out what waits, and return the block with what happened as its events."""
        self._sample = block.first
        while not self._waiting.empty():
            ticket = self._waiting.get()
            if not ticket.answer.set_running_or_notify_cancel():
                continue
            try:
                events, old = self._carry_out(ticket, block, publisher)
            except (InputError, StorageError) as error:
                ticket.answer.set_exception(error)
                continue
            block = block.amended(events=(*block.events, *events))
            ticket.answer.set_result((self._reply(events[0].sample, old or self.journal), old))
        return block

    def begin_anew(self, sensors: SensorArray, rate: float, publisher: Publisher) -> None:
        """Go on as another stream; if this one is kept, so is that, in a journal beside it."""
        old = self.journal
        self.journal = None if old is None else self._recorder.opened(beside=old.path)
        publisher.renew(sensors, rate, self.journal)
        if old is not None:
            self._recorder.finished(old)

    def close(self) -> None:
        """Take no more orders; those that wait are told so."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                ticket = self._waiting.get_nowait()
                if ticket.answer.set_running_or_notify_cancel():
                    ticket.answer.set_exception(LinkError("the acquisition has ended"))

    def release(self) -> None:
        """Close the journal of the end, if there is one; it goes if nothing was ever written to it."""
        if self.journal is None:
            return
        self.journal.close()
        with contextlib.suppress(OSError):  # it may have been moved away
            if not self.journal.path.stat().st_size:
                self.journal.path.unlink()

    def _carried_out(self, ticket: _Ticket) -> tuple[Reply, Journal | None]:
        if self._closed:
            raise LinkError("the acquisition has ended")
        self._waiting.put(ticket)
        try:
            return ticket.answer.result(PATIENCE)
        except TimeoutError:
            if ticket.answer.cancel():
                raise LinkError(f"nothing was done: no block came from the source for {PATIENCE:g} s") from None
            return ticket.answer.result()

    def _carry_out(
        self, ticket: _Ticket, block: Block, publisher: Publisher
    ) -> tuple[tuple[Event, ...], Journal | None]:
        """Return what happened, and the journal that nothing more goes into."""
        order, first, old = ticket.order, block.first, None
        if isinstance(order, Mark):
            return (Event(_place(block, ticket.t_ns), "mark", why=order.text.strip()),), None
        if isinstance(order, Change):
            before, session = session_from(self.session), self._changed(order)
            self.session = session.as_dict()
            publisher.describe(self.session)
            phrases = changes(before, session)
            return tuple(Event(first, "session", why=phrase) for phrase in phrases or ("nothing changed",)), None
        if isinstance(order, Record):
            publisher.keep_in(ticket.journal)
            self.journal = ticket.journal
            return (Event(first, "recording/started"),), None
        old, self.journal = self.journal, None
        publisher.keep_in(None)
        return (Event(first, "recording/stopped"),), old

    def _changed(self, order: Change) -> Session:
        fixed = [key for key in order.settings if key.startswith(FIXED)]
        if fixed:
            raise InputError(f"{fixed[0]} cannot change while the source is open: start a new acquisition")
        return session_from(self.session).changed(**order.settings)

    def _reply(self, sample: int, journal: Journal | None = None) -> Reply:
        journal = journal or self.journal
        return Reply(
            sample=sample, journal="" if journal is None else str(journal.path),
            recording=self.journal is not None, session=self.session,
        )  # fmt: skip


def _place(block: Block, t_ns: int) -> int:
    """Return the sample of the block that was taken at an instant, its nearest one when that lies outside."""
    if not block.t_ns:
        return block.first
    back = round((block.t_ns - t_ns) * 1e-9 * block.rate)
    return min(max(block.stop - 1 - back, block.first), block.stop - 1)
