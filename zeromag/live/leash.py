"""What ties a child process to the one that started it: two pipes, on every operating system.

The child announces what happens as JSON lines on its standard output, is told things as lines on its
standard input, and stops when that input ends: because its parent asked it to, or died.
"""

from __future__ import annotations

import json
import queue
import signal
import sys
import threading
from collections.abc import Mapping


class Leash:
    """The child's end: `stop` is set when the parent lets go; `told()` waits for a line."""

    def __init__(self, stop: threading.Event) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # they reach the parent too, which ends all in order
            signal.signal(number, signal.SIG_IGN)
        self.stop = stop
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, name="leash", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line.strip())
        self._lines.put(None)
        self.stop.set()

    def told(self) -> str | None:
        """Return the next line of the parent, None when it has let go."""
        return self._lines.get()

    def announce(self, news: Mapping[str, object]) -> None:
        """Tell the parent; a parent that has died hears nothing, and the leash's end says so to us."""
        try:
            sys.stdout.write(json.dumps(news) + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            self.stop.set()
