"""The socket that orders for an acquisition come in by: who may give them, what became of each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import zmq

from zeromag.acquire.audit import audit
from zeromag.acquire.keys import allowed
from zeromag.acquire.order import Order, Reply, encode, read_order
from zeromag.errors import ZeromagError

Desk = Callable[[Order], Reply]
_LISTEN_MS: Final = 100


class ControlServer:
    """Carries each order to the desk, one after the other, on a thread of its own; owns the ROUTER it is given.

    With keys only the role `control` is obeyed, looked up anew for each order. Each order is written down, in the audit
    log beside the keys or, on this machine alone, in the user's own.
    """

    def __init__(self, socket: zmq.Socket[bytes], desk: Desk, keys: Path | None) -> None:
        self._socket, self._desk, self._keys = socket, desk, keys
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not self._socket.poll(_LISTEN_MS):
                continue
            parts = self._socket.recv_multipart(copy=False)
            if len(parts) != 2:
                continue
            who = "" if self._keys is None else str(parts[1].get("User-Id"))
            reply = self._answer(parts[1].bytes, who, str(parts[1].get("Peer-Address")))
            self._socket.send_multipart([parts[0].bytes, encode(reply)], zmq.NOBLOCK)
        self._socket.close()

    def _answer(self, content: bytes, key: str, address: str) -> Reply:
        try:
            order = read_order(content)
        except ZeromagError as error:
            return self._noted("", (key, address), Reply(done=False, why=str(error)))
        try:
            why = self._forbidden(key)
            reply = Reply(done=False, why=why) if why else self._desk(order)
        except ZeromagError as error:
            reply = Reply(done=False, why=str(error))
        return self._noted(
            str(order.__struct_config__.tag), (key, address), msgspec.structs.replace(reply, id=order.id)
        )

    def _forbidden(self, key: str) -> str:
        """Return why this key may give no orders, empty when it may."""
        if self._keys is None:
            return ""
        entry = next((entry for entry in allowed(self._keys) if entry.public == key), None)
        if entry is not None and entry.role == "control":
            return ""
        return "this key may view but not control: `zeromag keys allow KEY --role control` at the acquisition lets it"

    def _noted(self, what: str, who: tuple[str, str], reply: Reply) -> Reply:
        """Write the order down, never its words: these may name somebody."""
        if what != "state":
            result = "done" if reply.done else "refused"
            line = {"action": "control", "do": what, "key": who[0], "from": who[1], "result": result}
            try:
                audit(self._keys, line | ({"sample": str(reply.sample)} if reply.done else {}))
            except OSError as error:
                return Reply(id=reply.id, done=reply.done, why=f"the audit log cannot be written: {error.strerror}")
        return reply
