"""Carries a running stream into a feed, on a thread of its own, always skipping to now."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from zeromag.acquire.endpoint import host_of, is_local
from zeromag.acquire.message import End
from zeromag.acquire.subscription import Subscription
from zeromag.errors import ZeromagError
from zeromag.viz.feed import Feed

TRY_AGAIN = 0.5  # s between two tries to find the publisher


def follow(endpoint: str, feed: Feed, stop: threading.Event, keys: Path | None = None) -> None:
    """Feed until the stream ends or `stop` is set; where nobody answers, say so in the feed and try again."""
    while not stop.is_set():
        try:
            with Subscription(endpoint, keys, newest_only=True, timeout=2.0, reconnect=True) as stream:
                feed.message = ""
                feed.here = is_local(endpoint)
                feed.take(stream.description)
                while not stop.is_set():
                    message = stream.receive(0.1)
                    if message is None:
                        continue
                    feed.take(message)
                    if isinstance(message, End):
                        return
        except ZeromagError as error:
            feed.message = str(error)
            stop.wait(TRY_AGAIN)


@contextmanager
def following(endpoint: str, keys: Path | None = None) -> Generator[Feed, None, None]:
    """Give a feed that follows an endpoint until the block is left; `keys` is this side's folder, off loopback.

    Raises
    ------
    LinkError
        If the endpoint is not written like one.
    """
    if not endpoint.startswith("ipc://"):
        host_of(endpoint)
    feed, stop = Feed(), threading.Event()
    thread = threading.Thread(target=follow, args=(endpoint, feed, stop, keys), name="zeromag feed", daemon=True)
    thread.start()
    try:
        yield feed
    finally:
        stop.set()
        thread.join(timeout=5.0)
