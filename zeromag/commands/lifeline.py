"""What makes a long-running command stop: its parent's leash, Ctrl-C or SIGTERM, as one event."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from zeromag.live.leash import Leash


class Lifeline(Protocol):
    """A stop event, and somebody who hears what happens."""

    stop: threading.Event

    def told(self) -> str | None:
        """Return the next line of the one who started us, None when there is none."""
        ...

    def announce(self, news: Mapping[str, object]) -> None:
        """Say what happened."""
        ...


class Terminal:
    """Nobody holds us: a person reads the terminal and presses Ctrl-C."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def told(self) -> str | None:
        """Nobody tells anything."""
        return None

    def announce(self, news: Mapping[str, object]) -> None:
        """Print what is for people, and where others can connect."""
        for key in ("say", "endpoint", "url", "journal", "recording"):
            if key in news:
                words = news[key] if key == "say" else f"{key} {news[key]}"
                print(f"zeromag: {words}", file=sys.stderr, flush=True)


@contextmanager
def lifeline(leash: bool) -> Iterator[Lifeline]:
    """Give the leash, or a terminal on which Ctrl-C and SIGTERM set the stop event; raise on leaving after Ctrl-C."""
    stop = threading.Event()
    if leash:
        yield Leash(stop)
        return
    interrupted = threading.Event()

    def end(number: int, frame: object) -> None:
        del frame
        stop.set()
        if number == signal.SIGINT:
            interrupted.set()

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield Terminal(stop)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    if interrupted.is_set():
        raise KeyboardInterrupt
