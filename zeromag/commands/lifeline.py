"""What makes a long-running command stop: its parent's leash, Ctrl-C or SIGTERM, as one event."""

from __future__ import annotations

import queue
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
    caught: queue.SimpleQueue[int] = queue.SimpleQueue()
    interrupted: list[int] = []

    def end(number: int, frame: object) -> None:
        """Hand the signal on: an event set here, on a thread that is just waiting for it, would wait for itself."""
        del frame
        if number == signal.SIGINT:
            interrupted.append(number)
        caught.put(number)

    def hear() -> None:
        caught.get()
        stop.set()

    threading.Thread(target=hear, name="zeromag signals", daemon=True).start()

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield Terminal(stop)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        caught.put(0)
    if interrupted:
        raise KeyboardInterrupt
