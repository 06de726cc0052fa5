"""The sockets of a publisher behind one gate: bound, written to without waiting, shut when a key is revoked."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import zmq

from zeromag.acquire.endpoint import beside, is_local
from zeromag.acquire.gate import DOMAIN, Gate
from zeromag.acquire.keys import be_server
from zeromag.errors import LinkError

_REQUEST_BYTES: Final = 1024  # nobody has to say more to a replay server
_QUEUED: Final = 1000  # frames a slow subscriber may be behind before it has to ask again
_THREADS: Final = 2  # of libzmq: a thread that shakes hands with strangers is seldom the one that data leave by
_LET_GO_SECONDS: Final = 5.0  # the longest that a closed socket keeps its port


class Doors:
    """XPUB for frames, which any thread may `send`, and ROUTER for requests, which is one thread's."""

    def __init__(self, bind: str, keys: Path | None) -> None:
        if keys is None and not is_local(bind):
            raise LinkError(
                f"{bind} can be reached from other machines: give --keys DIR (`zeromag keys new`) or bind 127.0.0.1"
            )
        self._bind, self._keys, self._context = bind, keys, zmq.Context(_THREADS)
        self._sending = threading.Lock()
        self.gate = Gate(self._context, keys)
        try:
            self._out: zmq.Socket[bytes] | None = self.bound(zmq.XPUB, [bind])
            self.endpoint = self._out.getsockopt_string(zmq.LAST_ENDPOINT)
            self.router = self.bound(zmq.ROUTER, beside(bind))
            self.replay = self.router.getsockopt_string(zmq.LAST_ENDPOINT)
        except BaseException:
            self.gate.close()
            self._context.destroy(linger=0)
            raise

    def control(self, most: int) -> zmq.Socket[bytes]:
        """Return a further ROUTER, for orders of at most so many bytes."""
        try:
            return self.bound(zmq.ROUTER, beside(self._bind, "control"), most)
        except BaseException:
            self.close()
            raise

    def send(self, frame: bytes) -> None:
        """Give a frame to everybody who listens; who is too slow loses it."""
        with self._sending:
            if self._out is not None:
                self._out.send(frame, zmq.NOBLOCK)  # XPUB drops for a full subscriber, it never raises EAGAIN

    def newcomers(self) -> int:
        """Return how many subscriptions came since the last look."""
        count = 0
        with self._sending:
            while self._out is not None and self._out.poll(0):
                count += self._out.recv()[:1] == b"\x01"
        return count

    def cut_revoked(self) -> None:
        """Cut every connection when one of them has a key that was revoked; the others connect anew and repair.

        For the thread of the ROUTER. libzmq cannot cut a single peer, so the sockets are made anew where they were.
        """
        if not self.gate.revoked():
            return
        with self._sending:
            if self._out is not None:
                self._out.close(linger=0)
            self._out = None  # what is sent meanwhile is asked for again
        self.router.close(linger=0)
        out = self._bound_again(zmq.XPUB, self.endpoint)
        self.router = self._bound_again(zmq.ROUTER, self.replay)
        with self._sending:
            self._out = out

    def close(self) -> None:
        """Free the endpoints; what was sent last has a moment to leave."""
        self.router.close()
        if self._out is not None:
            self._out.close(linger=200)
        self.gate.close()
        self._context.term()

    def bound(self, kind: int, endpoints: list[str], most: int = _REQUEST_BYTES) -> zmq.Socket[bytes]:
        """Return a socket bound to the first endpoint that is free."""
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.MAXMSGSIZE, most)
        socket.setsockopt(zmq.HANDSHAKE_IVL, 2000)
        socket.setsockopt(zmq.SNDHWM, _QUEUED if kind == zmq.XPUB else 8)
        socket.setsockopt(zmq.LINGER, 0)
        if kind == zmq.XPUB:
            socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        if self._keys is not None:
            be_server(socket, self._keys)
        for endpoint in endpoints:
            try:
                socket.bind(endpoint)
            except zmq.ZMQError as error:
                if endpoint == endpoints[-1]:
                    socket.close()
                    raise LinkError(
                        f"{endpoint} cannot be bound: {error}; is another zeromag running there?"
                    ) from error
            else:
                break
        return socket

    def _bound_again(self, kind: int, endpoint: str) -> zmq.Socket[bytes]:
        """Bind where a socket was that libzmq is still letting go of."""
        give_up = time.monotonic() + _LET_GO_SECONDS
        while time.monotonic() < give_up:
            with suppress(LinkError):
                return self.bound(kind, [endpoint])
            time.sleep(0.01)
        return self.bound(kind, [endpoint])
