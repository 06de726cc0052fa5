"""Sends a stream to whoever listens and repairs what they missed; never waits for anyone."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

import zmq

from zeromag.acquire.control_server import ControlServer, Desk
from zeromag.acquire.doors import Doors
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Result, Stamp
from zeromag.acquire.order import MOST_BYTES
from zeromag.acquire.replay_server import ReplayServer
from zeromag.acquire.shelf import Shelf
from zeromag.acquire.wire import encode_block, encode_description, encode_end, encode_result
from zeromag.block import Block
from zeromag.errors import SourceLostError, StorageError
from zeromag.sensors import SensorArray

ANYWHERE_LOCAL: Final = "tcp://127.0.0.1:*"
HEARTBEAT_SECONDS: Final = 0.5
_LISTEN_MS: Final = 50


class Publisher:
    """A sink of blocks: journal first when there is one, then memory, then the wire.

    Slow subscribers lose frames here and get them back from the replay server, which answers on a thread
    of its own out of memory, then out of the journal.
    """

    def __init__(
        self,
        description: Description,
        *,
        bind: str = ANYWHERE_LOCAL,
        journal: Journal | None = None,
        keep_bytes: int = 64 << 20,
        keys: Path | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.stream, self.epoch = secrets.randbits(64), time.time_ns()
        self._sequence, self._in_order = 0, threading.Lock()
        self.greeted = 0  # subscriptions that were sent a description
        self._journal, self._shelf, self._keep_bytes = journal, Shelf(keep_bytes), keep_bytes
        self._server = ReplayServer(self._shelf, journal, self.epoch)
        self._doors = Doors(bind, keys)
        self.endpoint, self.gate = self._doors.endpoint, self._doors.gate
        orders = None if desk is None else self._doors.control(MOST_BYTES)
        self.description = replace(
            description,
            replay=self._doors.replay,
            control="" if orders is None else orders.getsockopt_string(zmq.LAST_ENDPOINT),
            recording=description.recording or journal is not None,
        )
        self._stopped = 0  # index after the last sample
        self._stop, self._deserted = threading.Event(), threading.Event()
        if journal is not None:
            journal(encode_description(self.description, self._stamp(0)))
        self._thread = threading.Thread(target=self._serve, name="replay", daemon=True)
        self._thread.start()
        self._control = None if orders is None or desk is None else ControlServer(orders, desk, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def __call__(self, block: Block) -> None:
        """Journal, keep and send one block.

        Raises
        ------
        StorageError
            It cannot be kept; nobody has seen it.
        SourceLostError
            It is of another array or rate than was described.
        """
        described = self.description
        if len(block.sensors) != len(described.sensors) or block.rate != described.rate:
            raise SourceLostError(
                f"the source changed at sample {block.first} from {len(described.sensors)} channels at "
                f"{described.rate:g} Hz to {len(block.sensors)} at {block.rate:g} Hz: start again"
            )
        with self._in_order:
            self._emit(encode_block(block, self._stamp(self._sequence)))
            self._stopped = block.stop

    def result(self, result: Result) -> None:
        """Keep and send what was made of the stream; a thread of its own may do so beside the one with the blocks."""
        with self._in_order:
            self._emit(encode_result(result, self._stamp(self._sequence)))

    def end(self, samples: int, reason: str = "") -> None:
        """Say that the stream is over."""
        with self._in_order:
            self._emit(encode_end(End(samples, reason), self._stamp(self._sequence)), last=True)

    def describe(self, session: dict[str, Any] | None = None, *, recording: bool | None = None) -> None:
        """Tell everybody, and the journal, that the session is another one or that it is kept now."""
        described = self.description
        self.description = replace(
            described,
            session=described.session if session is None else session,
            recording=described.recording if recording is None else recording,
        )
        frame = encode_description(self.description, self._stamp(self._sequence))
        if self._journal is not None:
            self._journal(frame)
        self._doors.send(frame)

    def keep_in(self, journal: Journal | None) -> None:
        """Keep what follows in another journal, or in none; the one before gets its end and is the caller's to close.

        Raises
        ------
        StorageError
            The new journal does not take its first frame; nothing has changed.
        """
        described = replace(self.description, recording=journal is not None)
        if journal is not None:
            journal(encode_description(described, self._stamp(self._sequence)))
            self._server.journals.append(journal)
        elif self._journal is not None:
            with suppress(StorageError):  # a journal without an end is recovered like any that was cut off
                self._journal(encode_end(End(self._stopped, "stopped"), self._stamp(self._sequence)), last=True)
        self._journal, self.description = journal, described
        self._doors.send(encode_description(described, self._stamp(self._sequence)))

    def renew(self, sensors: SensorArray, rate: float, journal: Journal | None) -> None:
        """Go on as another stream that counts its frames from 0; subscribers follow as if this had been restarted."""
        if self._journal is not None:
            with suppress(StorageError):
                self._journal(
                    encode_end(End(self._stopped, "the source changed"), self._stamp(self._sequence)), last=True
                )
        epoch, self._shelf, self._sequence = time.time_ns(), Shelf(self._keep_bytes), 0
        self.description = replace(self.description, sensors=sensors, rate=rate)
        self._server = self._server.renewed(self._shelf, journal, epoch)
        self.epoch, self._journal = epoch, journal
        self.describe()

    def wait_for_consumers(self, seconds: float) -> bool:
        """Wait until every consumer that repairs has all or is gone, at most so long; return whether they have."""
        return self._deserted.wait(seconds)

    def close(self) -> None:
        """Stop answering and free the endpoints."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        if self._control is not None:
            self._control.close()
        self._doors.close()

    def _stamp(self, sequence: int) -> Stamp:
        return Stamp(self.stream, self.epoch, sequence, time.time_ns())

    def _emit(self, frame: bytes, *, last: bool = False) -> None:
        if self._journal is not None:
            try:
                self._journal(frame, last=last)
            except StorageError:
                if not last:  # the end is told even when it cannot be kept any more
                    raise
        self._shelf.put(frame)
        self._sequence += 1
        self._doors.send(frame)

    def _serve(self) -> None:
        """Answer requests, greet newcomers, give a sign of life; on its own thread."""
        beat = 0.0
        while not self._stop.is_set():
            if self._doors.router.poll(_LISTEN_MS):
                self._answer()
            newcomers = self._doors.newcomers()
            if newcomers or time.monotonic() - beat > HEARTBEAT_SECONDS:
                beat = time.monotonic()
                self._doors.cut_revoked()
                self._doors.send(encode_description(self.description, self._stamp(self._sequence)))
            self.greeted += newcomers
            if self._server.consumers():
                self._deserted.clear()
            else:
                self._deserted.set()

    def _answer(self) -> None:
        parts = self._doors.router.recv_multipart()
        answer = self._server.answer(parts[0], parts[-1], self._sequence) if len(parts) == 2 else None
        if answer is not None:
            self._doors.router.send_multipart([parts[0], *answer], zmq.NOBLOCK, copy=False)
