"""Work that a second core can do meanwhile: in a copy of this process, where that is safe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

THREADS = Path("/proc/self/task")


def beside(work: Callable[[], None]) -> Callable[[], None]:
    """Begin `work`, which leaves files and nothing else, in a copy of this process; the answer waits for it.

    A copy has only the thread that made it, and whatever another one held stays locked in it for ever: with more than
    one thread, or on a system that does not say how many there are, the answer does the work here, as it does when
    the copy failed, so that an error is this process's own.
    """
    if not _alone():
        return work
    copy = os.fork()
    if copy == 0:
        done = False
        try:
            work()
            done = True
        finally:
            os._exit(0 if done else 1)  # nothing of this process's own end is the copy's to do

    def wait() -> None:
        _, status = os.waitpid(copy, 0)
        if status:
            work()

    return wait


def _alone() -> bool:
    """Return whether this process has a single thread, those of libraries counted."""
    if sys.platform != "linux":
        return False
    try:
        return len(list(THREADS.iterdir())) == 1
    except OSError:
        return False
