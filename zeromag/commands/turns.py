"""Short turns on a processor for what a stream waits for, where others want it too."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final

TURN_NS: Final = 100_000
SET: Final = {"x86_64": 314, "aarch64": 274}  # the number of the system call sched_setattr, which the C library lacks
ATTRIBUTES: Final = struct.Struct("<IIQiIQQQ")  # size, policy, flags, nice, priority, runtime, deadline, period


def short_turns() -> bool:
    """Ask for turns of 0.1 ms, for this thread and those that it starts from now on; return whether that was taken.

    Linux from 6.12 on lets go first who asks for the shorter turn, nice alike (EEVDF); before, it takes the wish
    and does nothing. Other systems, and threads that somebody gave a real-time policy, are left as they are.
    """
    number = SET.get(platform.machine())
    if platform.system() != "Linux" or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wish = ATTRIBUTES.pack(ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, TURN_NS, 0, 0)
    return not ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_int(0), wish, ctypes.c_uint(0))
