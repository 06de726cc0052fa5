"""A signal that comes while the very same thread waits must end the run, whatever bytecode it comes at."""

from __future__ import annotations

import subprocess
import sys

import pytest

STORM = """
import queue, signal, time
from zeromag.commands.lifeline import lifeline
from zeromag.live.supervisor import LiveRun, _Supervisor
from zeromag.session import Session

def storm(handler, wait):
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 1e-3, 5e-4)
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        wait()
    signal.setitimer(signal.ITIMER_REAL, 0.0)

def supervisor():
    run = _Supervisor(LiveRun(Session()), print, print)
    def wait():
        try:
            run._news.get(timeout=1e-6)
        except queue.Empty:
            pass
    storm(run._interrupted, wait)

def ends():
    with lifeline(False) as line:
        storm(signal.getsignal(signal.SIGTERM), lambda: line.stop.wait(1e-6))
        assert line.stop.is_set()

"""


@pytest.mark.parametrize("what", ["supervisor", "ends"])
def test_a_storm_of_signals_locks_nothing_up(what: str) -> None:
    subprocess.run([sys.executable, "-c", f"{STORM}{what}()"], check=True, timeout=30)
