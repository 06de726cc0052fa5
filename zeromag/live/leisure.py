"""The time that a running stream leaves for work beside it: one piece at a time, none begun while it is behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from zeromag.viz.lateness import Lateness

BEHIND_NS = 200_000_000  # a block that was taken so long ago is late: every core is wanted for the stream
NICE = 10  # of what may wait longest: a look of the gate at a thousand channels takes seconds of a core
GIVE_WAY_NS = 15_000_000  # a block so late: what is under way beside the stream stays, so that it does not fall behind
GIVE_WAY_SECONDS = 0.5  # the longest stay: a slow machine's work still comes to its end
LOOK_SECONDS = 0.01  # until it looks again whether the stream is on time
AT_LAST_NS = 10_000_000_000  # behind for so long: one piece begins all the same, or a slow machine would never be told

Made = TypeVar("Made")


class Leisure:
    """`see` each block; `begin` work that nobody waits for: weights of the map, the price of cleaning, the gate.

    Each of these takes seconds of a core where channels are many. Begun all at once in the first seconds they put a
    fast stream behind, and what is begun while it is behind keeps it there. What is under way and long calls
    `give_way` between its steps.
    """

    def __init__(self, *, same_clock: bool = True) -> None:
        self._lateness = Lateness()
        self._lateness.same_clock = same_clock
        self._now = self._since = 0  # ns; of the newest block, and when there was time, or a piece begun, last
        self._soon = ThreadPoolExecutor(max_workers=1, thread_name_prefix="soon")
        self._later = ThreadPoolExecutor(max_workers=1, thread_name_prefix="later", initializer=_step_back)
        self._open: list[Future[Any]] = []
        self._closed = threading.Event()

    def see(self, t_ns: int, now_ns: int | None = None) -> None:
        """Take when the newest block's last sample had arrived (0: not known), and when it is done with."""
        self._now = time.monotonic_ns() if now_ns is None else now_ns
        self._lateness.see(t_ns, self._now)
        if not self.behind or not self._since:
            self._since = self._now

    @property
    def behind(self) -> bool:
        """Whether the newest block was late."""
        return self._lateness.ns > BEHIND_NS

    @property
    def left(self) -> bool:
        """Whether there is time for another piece of work; after ten seconds behind, for one."""
        return not self.behind or self._now - self._since > AT_LAST_NS

    def begin(self, work: Callable[[], Made], *, beside: bool = False) -> Future[Made] | None:
        """Begin a piece of work on a thread of its own; None when the stream leaves no time for it now.

        That is also while another piece is under way, unless this one may run `beside` it, at its own priority.
        """
        self._open = [piece for piece in self._open if not piece.done()]
        if not self.left or (self._open and not beside):
            return None
        self._since = self._now
        begun = (self._soon if beside else self._later).submit(work)
        self._open.append(begun)
        return begun

    def give_way(self) -> None:
        """Stay while the stream is late, for work under way to call between its steps."""
        until = time.monotonic() + GIVE_WAY_SECONDS
        while self._lateness.ns > GIVE_WAY_NS and time.monotonic() < until and not self._closed.wait(LOOK_SECONDS):
            pass

    def wait(self) -> None:
        """Stay until what is under way is done."""
        for piece in self._open:
            piece.result()

    def close(self) -> None:
        """End the threads once what is under way is done; nothing has to give way any more."""
        self._closed.set()
        self._soon.shutdown()
        self._later.shutdown()


def _step_back() -> None:
    """Let the stream, and what brings and shows it, go before this thread; where threads have priorities."""
    if sys.platform == "linux":
        with suppress(OSError):  # some sandboxes allow none
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
