"""Short turns: asked for before any thread begins, so that all of them have them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

ASK = """
import ctypes, platform, struct, threading
from zeromag.commands.turns import ATTRIBUTES, SET, TURN_NS, short_turns

def turn():
    told = ctypes.create_string_buffer(ATTRIBUTES.size)
    read = SET[platform.machine()] + 1  # sched_getattr
    assert not ctypes.CDLL(None).syscall(ctypes.c_long(read), 0, told, ATTRIBUTES.size, 0)
    return ATTRIBUTES.unpack(told.raw)

assert turn()[5] != TURN_NS
assert short_turns()
found = [turn()]
thread = threading.Thread(target=lambda: found.append(turn()))
thread.start()
thread.join()
print([(one[1], one[3], one[5] == TURN_NS) for one in found])
"""


def kernel() -> tuple[int, ...]:
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in platform.release().split(".")[:2])


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() != "x86_64" or kernel() < (6, 12), reason="needs Linux 6.12"
)
def test_a_process_and_its_threads_have_short_turns_and_stay_as_nice_as_they_were() -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", f"import os; os.nice(3)\n{ASK}"], text=True, timeout=60, env=os.environ
    )
    assert told.strip() == str([(0, 3, True)] * 2)  # policy, nice, turn
