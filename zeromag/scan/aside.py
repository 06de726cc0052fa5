"""Work that nobody waits for, done beside the stream: on a thread of its own, in order, a few blocks behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Given = TypeVar("Given")
BEHIND = 4  # calls that may wait at least: each holds the blocks it is of


class Aside(Generic[Given]):
    """Callable like what it wraps; what that raises comes with a later call, or with `wait`."""

    def __init__(self, call: Callable[[Given], object], most: int = BEHIND) -> None:
        self._call, self._most = call, max(BEHIND, most)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")
        self._open: deque[Future[object]] = deque()

    def __call__(self, given: Given) -> None:
        """Hand over; waits when too much waits already, so that memory stays what it is."""
        while len(self._open) >= self._most or (self._open and self._open[0].done()):
            self._open.popleft().result()
        self._open.append(self._thread.submit(self._call, given))

    def wait(self) -> None:
        """Stay until everything is done."""
        while self._open:
            self._open.popleft().result()

    def close(self) -> None:
        """Stay until everything is done, and end the thread."""
        self.wait()
        self._thread.shutdown()
