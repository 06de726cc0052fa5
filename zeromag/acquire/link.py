"""The two sockets of a subscriber: what is published, and the line to the replay server."""

from __future__ import annotations

from pathlib import Path

import zmq

from zeromag.acquire.endpoint import as_reached, host_of
from zeromag.acquire.frame import HEADER_BYTES, MAGIC, MAX_BYTES
from zeromag.acquire.keys import be_client
from zeromag.acquire.replay_server import BYE, FROM, HELLO, REQUEST
from zeromag.errors import LinkError

_QUEUED = 1000  # frames


class Link:
    """Connects, reconnects by itself, sends requests; single-threaded like its owner."""

    def __init__(self, endpoint: str, keys: Path | None = None) -> None:
        if not endpoint.startswith("ipc://"):
            host_of(endpoint)
        self.endpoint, self._keys = endpoint, keys
        self._context = zmq.Context()
        self._dealer: zmq.Socket[bytes] | None = None
        self._replay = ""
        self._patience = -1  # ms that a frame is waited for
        self._poller = zmq.Poller()
        try:
            self._sub = self._socket(zmq.SUB)
            self._sub.setsockopt(zmq.SUBSCRIBE, MAGIC)
            self._sub.connect(endpoint)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise LinkError(f"an endpoint looks like tcp://HOST:PORT, got '{endpoint}'") from error
        except LinkError:
            self._context.destroy(linger=0)
            raise
        self._poller.register(self._sub, zmq.POLLIN)

    def reach_replay(self, announced: str) -> None:
        """Connect to the replay server that a description names, if it is another one than before."""
        if announced == self._replay:
            return
        if self._dealer is not None:
            self._poller.unregister(self._dealer)
            self._dealer.close()
            self._dealer = None
        self._replay = announced
        if announced:
            self._dealer = self._socket(zmq.DEALER)
            self._dealer.connect(as_reached(announced, self.endpoint))
            self._poller.register(self._dealer, zmq.POLLIN)

    def wait(self, seconds: float) -> tuple[bytes | None, list[bytes]]:
        """Wait at most so long; return the next published frame and the parts of the next answer, either or none.

        Frames have one part; a second would be taken for a frame, and refused as what it is.
        """
        self._frame_within(-1)
        ready = dict(self._poller.poll(max(0, round(seconds * 1000))))
        frame = self._sub.recv() if self._sub in ready else None
        parts = self._dealer.recv_multipart() if self._dealer is not None and self._dealer in ready else []
        return frame, parts

    def frame(self, seconds: float) -> bytes | None:
        """Wait at most so long for a frame alone: without a poller it costs half the calls into the system."""
        self._frame_within(round(seconds * 1000))
        try:
            return self._sub.recv()
        except zmq.Again:
            return None

    def _frame_within(self, milliseconds: int) -> None:
        if milliseconds != self._patience:
            self._sub.setsockopt(zmq.RCVTIMEO, milliseconds)
            self._patience = milliseconds

    def more(self) -> bool:
        """Return whether a published frame waits."""
        return bool(self._sub.poll(0))

    def ask(self, epoch: int, sequence: int) -> None:
        """Ask for frames from this sequence on."""
        self._say(FROM, epoch, sequence)

    def hello(self) -> None:
        """Say that a consumer that repairs is here."""
        self._say(HELLO, 0, 0)

    def bye(self) -> None:
        """Say that nothing more is wanted."""
        self._say(BYE, 0, 0)

    def close(self) -> None:
        """Say goodbye and free both sockets; the last word has a moment to leave."""
        if self._context.closed:
            return
        self.bye()
        self._sub.close(linger=0)
        if self._dealer is not None:
            self._dealer.close(linger=200)
        self._context.term()

    def _say(self, word: bytes, epoch: int, sequence: int) -> None:
        if self._dealer is not None and self._dealer.poll(0, zmq.POLLOUT):
            self._dealer.send(REQUEST.pack(word, epoch, sequence), zmq.NOBLOCK)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.RCVHWM, _QUEUED)
        socket.setsockopt(zmq.SNDHWM, 16)
        socket.setsockopt(zmq.MAXMSGSIZE, HEADER_BYTES + MAX_BYTES)
        socket.setsockopt(zmq.LINGER, 0)
        if self._keys is not None:
            be_client(socket, self._keys)
        socket.setsockopt(zmq.RECONNECT_IVL, 100)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        socket.setsockopt(zmq.CONNECT_TIMEOUT, 1000)  # TCP alone would wait longer and longer between tries
        socket.setsockopt(zmq.HANDSHAKE_IVL, 2000)
        # A connection that was cut is noticed by TCP, and what it lost the replay server gives again. ZMQ's own
        # heartbeat would abort this process when a publisher goes while we are behind (libzmq 4.3.5, issue 4364).
        for option, seconds in ((zmq.TCP_KEEPALIVE_IDLE, 1), (zmq.TCP_KEEPALIVE_INTVL, 1), (zmq.TCP_KEEPALIVE_CNT, 3)):
            socket.setsockopt(option, seconds)
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        return socket
