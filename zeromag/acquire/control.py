"""The hand on a running acquisition: mark, record, stop, change a setting; from this machine or another."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec
import zmq

from zeromag.acquire.endpoint import as_reached
from zeromag.acquire.inbox import Inbox
from zeromag.acquire.keys import be_client
from zeromag.acquire.link import Link
from zeromag.acquire.order import MOST_BYTES, Change, Mark, Order, Record, Reply, State, Stop, encode, read_reply
from zeromag.errors import LinkError

PATIENCE: Final = 5.0  # s; the acquisition itself waits 2 s for the next block


class Control:
    """Controls the acquisition behind a stream, `acquire`'s endpoint or `process`'s: what reaches B is handed on to A.

    Off loopback the key in `keys` must have the role `control`. Each method waits until the order took effect,
    which is at the next block, some milliseconds; it may be called from any thread, so a window keeps it off the
    one that draws. Nothing is connected before the first order, and after a failure the next one begins anew.

    Examples
    --------
    >>> with Control("tcp://127.0.0.1:5555") as control:   # doctest: +SKIP
    ...     control.start_recording("ward-3")              # the journal's path, on the acquisition's machine
    ...     control.mark("breath held")                    # the sample it stands at
    ...     control.change({"clean.line": 60})             # the sample it holds from
    ...     control.state().recording                      # True
    ...     control.stop_recording()                       # the journal's path; the recording follows

    Raises
    ------
    LinkError
        From every method: nobody answers there, the key may only view, or the order cannot be carried out; the
        sentence says which.
    """

    def __init__(self, endpoint: str, keys: Path | None = None, *, patience: float = PATIENCE) -> None:
        self.endpoint, self._keys, self._patience = endpoint, keys, patience
        self._lock = threading.Lock()
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go; the next order would connect again."""
        with self._lock:
            self._drop()

    def mark(self, text: str) -> int:
        """Note one line at the sample that is taken now; return its index in the stream."""
        try:
            order = Mark(text=text)
        except ValueError as error:
            raise LinkError(str(error)) from error
        return self._done(order).sample

    def start_recording(self, folder: str = "") -> str:
        """Keep the stream from the next block on; return the journal's path on the acquisition's machine.

        `folder` lies below the one that `acquire --record` named, or else where it was started.
        """
        return self._done(Record(folder=folder)).journal

    def stop_recording(self) -> str:
        """Keep nothing more and have the recording made of it; return the journal's path."""
        return self._done(Stop()).journal

    def change(self, settings: Mapping[str, object]) -> int:
        """Change settings by their dotted keys, `{"clean.line": 50}`; return the first sample they hold for."""
        return self._done(Change(settings=dict(settings))).sample

    def state(self) -> Reply:
        """Return whether it records, into which journal, the session, and the next sample to come."""
        return self._done(State())

    def order(self, order: Order) -> Reply:
        """Hand on an order; return the answer, also one that says no."""
        with self._lock:
            try:
                return self._asked(order)
            except BaseException:
                self._drop()
                raise

    def _done(self, order: Order) -> Reply:
        reply = self.order(order)
        if not reply.done:
            raise LinkError(reply.why)
        return reply

    def _asked(self, order: Order) -> Reply:
        socket = self._socket or self._connected()
        self._id += 1
        socket.send(encode(msgspec.structs.replace(order, id=self._id)))
        deadline = time.monotonic() + self._patience
        while (left := deadline - time.monotonic()) > 0:
            if socket.poll(max(1, round(left * 1000))):
                reply = read_reply(socket.recv())
                if reply.id == self._id:  # an older one came too late for who asked
                    return reply
        raise LinkError(
            f"the acquisition behind {self.endpoint} did not answer within {self._patience:g} s: look whether it still "
            "runs, and off this machine whether it lets your key in"
        )

    def _connected(self) -> zmq.Socket[bytes]:
        """Ask the stream where it is controlled, and connect there."""
        link = Link(self.endpoint, self._keys)
        try:
            found = Inbox(link).first_description(self._patience)
        finally:
            link.close()
        if found is None:
            raise LinkError(
                f"no zeromag stream answered at {self.endpoint} within {self._patience:g} s: is it running?"
            )
        if not found[0].control:
            raise LinkError(f"the stream at {self.endpoint} cannot be controlled: it has no acquisition behind it")
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
        if self._keys is not None:
            be_client(self._socket, self._keys)
        self._socket.connect(as_reached(found[0].control, self.endpoint))
        return self._socket

    def _drop(self) -> None:
        if self._context is not None:
            self._context.destroy(linger=0)
        self._context = self._socket = None
