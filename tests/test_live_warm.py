"""Once a processing is warm, no stream makes it compile: that would hold every block for a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

WATCHED = """
import sys
from numba.core.dispatcher import Dispatcher
from zeromag.acquire.simulate import simulation
from zeromag.live.broadcast import Broadcast, Pace
from zeromag.live.warm import warm
from zeromag.scan.scan import Scan
from zeromag.session import Session

class Nobody:
    def __call__(self, block): pass
    def result(self, result): pass
    def end(self, samples, reason=""): pass

def made():
    modules = [module for name, module in sys.modules.items() if name.startswith("zeromag.")]
    kernels = {id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)}
    return {(each.py_func.__module__, each.py_func.__name__, len(each.signatures)) for each in kernels.values()}

before = made()
warm(lambda done, of: None)
ready = made()
assert ready != before, "nothing was compiled: this test sees no kernels"
source, block = sys.argv[1], int(sys.argv[2])
scan = None
for each in simulation(source, block=block).blocks():
    if scan is None:
        scan, listener = Scan(each, Session(), obey=True), Nobody()
        told = Broadcast(listener, scan, Session(), recording=False, pace=Pace(patient=True))
    told(scan(each, listener))
told.finish(scan.finish())
print(*sorted(made() - ready), sep="; ")
"""


@pytest.mark.parametrize(
    ("source", "block"),
    [
        ("sim:adult?seconds=14", 10),
        ("sim:adult?seconds=14&references=0&rows=3&columns=3&rate=500", 1),
        ("sim:fetal?seconds=14", 20),
        ("sim:wearable?seconds=14", 20),
        ("sim:adult?seconds=3&references=0&rows=19&columns=19&pitch=12&rate=4000", 40),
    ],
)
def test_a_warm_processing_compiles_nothing_more(source: str, block: int) -> None:
    command = [sys.executable, "-c", WATCHED, source, str(block)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == ""
