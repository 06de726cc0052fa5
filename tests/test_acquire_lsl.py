"""LSL in and out, in processes of their own that may only see this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The outlet sends at real time; the source reads what comes, through a restart of the outlet.
PROGRAM = """
import threading, time
import numpy as np
from tests.acquire_streams import Counter, is_counted, joined
from zeromag.acquire.lsl import LslOutlet
from zeromag.acquire.source import open_source
from zeromag.errors import LinkError

try:
    open_source("lsl:nobody")
except LinkError as error:
    print(error)
sent = Counter(2000)
outlet = LslOutlet(sent.sensors, sent.rate, "zm-test")

def send():
    began = time.monotonic()
    for block in sent.blocks():
        time.sleep(max(0.0, began + block.stop / 1000 - time.monotonic()))
        outlet(block)

source = open_source("lsl:zm-test", block=10)
assert source.sensors.names == sent.sensors.names
assert np.array_equal(source.sensors.positions, sent.sensors.positions)
assert np.array_equal(source.sensors.axes, sent.sensors.axes)
assert (source.sensors.kinds, source.sensors.coils, source.rate) == (sent.sensors.kinds, sent.sensors.coils, 1000.0)
threading.Timer(1.0, send).start()
got = []
for block in source.blocks():
    got.append(block)
    if block.stop == 2000:
        break
data = joined(got)
assert len(data) == 2000 and np.array_equal(data, joined(list(sent.blocks())))
stamps = np.array([block.t_ns for block in got])
assert (np.diff(stamps) >= 0).all()
assert not any(block.events for block in got)
print("all 2000")
"""


def test_what_lsl_sends_arrives_whole_and_placed(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    config = tmp_path / "lsl.cfg"
    config.write_text(
        "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[lab]\nKnownPeers = {127.0.0.1}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LSLAPICFG": str(config)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "no LSL stream is named 'nobody' here: is its sender running and on this network?",
        "all 2000",
    ]


def test_without_pylsl_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pylsl'] = None\n"
        "from zeromag.acquire.source import open_source\n"
        "from zeromag.errors import LinkError\n"
        "try:\n    open_source('lsl:x')\nexcept LinkError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "LSL needs the package pylsl: pip install 'zeromag[lsl]'\n"
