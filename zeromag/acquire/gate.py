"""The gate of a publisher: lets in whose key is on the list (ZAP, RFC 27), writes down each that came.

Any thread that answers here would do; it is its own, because libzmq waits for the answer while it shakes
hands, and a handshake must never wait for a block.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import zmq
from zmq.utils import z85

from zeromag.acquire.audit import audit
from zeromag.acquire.keys import Allowed, allowed
from zeromag.errors import ZeromagError

_WHERE: Final = "inproc://zeromq.zap.01"
_VERSION: Final = b"1.0"
DOMAIN: Final = b"zeromag"


class Gate:
    """Answers for every socket of one context; reads the list anew for each, so that a revoked key is out at once.

    Without a folder of keys, where only this machine can come in, it lets in all and writes them down.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folder: Path | None) -> None:
        self._folder = folder
        self.accepted = self.refused = 0
        self._inside: set[str] = set()  # keys that were let in since the doors were shut last
        self._socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(_WHERE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer, name="gate", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._stop.set()
        self._thread.join()

    def _answer(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(100):
                self._socket.send_multipart(self._decide(self._socket.recv_multipart()))
        self._socket.close()

    def _decide(self, request: list[bytes]) -> list[bytes]:
        if len(request) < 6 or request[0] != _VERSION:
            return [_VERSION, request[1] if len(request) > 1 else b"", b"500", b"not understood", b"", b""]
        _, number, _, address, _, mechanism, *credentials = request
        line = {"action": "connect", "from": address.decode("ascii", "replace")}
        if self._folder is None:
            with suppress(OSError):  # a full disk keeps nobody of this machine out
                audit(None, line | {"result": "accepted"})
            self.accepted += 1
            return [_VERSION, number, b"200", b"OK", b"", b""]
        key = z85.encode(credentials[0]).decode() if mechanism == b"CURVE" and len(credentials) == 1 else ""
        entry = self._entry(self._folder, key)
        line["key"] = key
        try:
            audit(self._folder, line | ({"result": "accepted", "name": entry.name} if entry else {"result": "refused"}))
        except OSError:
            entry = None  # who cannot be written down is not let in
        if entry is None:
            self.refused += 1
            return [_VERSION, number, b"400", b"no access", b"", b""]
        self.accepted += 1
        self._inside.add(key)
        return [_VERSION, number, b"200", b"OK", key.encode(), b""]

    def revoked(self) -> bool:
        """Return whether a key that was let in is on the list no more; then all count as out."""
        if not self._inside or self._folder is None:
            return False
        try:
            known = {entry.public for entry in allowed(self._folder)}
        except (ZeromagError, OSError, UnicodeDecodeError):  # a damaged list lets nobody stay either
            known = set()
        if self._inside <= known:
            return False
        self._inside.clear()
        return True

    @staticmethod
    def _entry(folder: Path, key: str) -> Allowed | None:
        try:
            return next((entry for entry in allowed(folder) if entry.public == key), None)
        except (ZeromagError, OSError, UnicodeDecodeError):  # a damaged list lets nobody in
            return None
