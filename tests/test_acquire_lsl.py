"""LSL in and out, in processes of their own that may only see this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.instrument import alone, printed

ROOT = Path(__file__).resolve().parent.parent

# The outlet sends at real time; the source reads what comes, through a restart of the outlet.
PROGRAM = """
import threading, time
import numpy as np
from tests.acquire_streams import Counter, is_counted, joined
from zeromag.acquire.lsl import LslOutlet, LslSource
from zeromag.acquire.source import open_source
from zeromag.errors import LinkError

try:
    LslSource("nobody", timeout=0.5)
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


QUIET = """
from zeromag.acquire.lsl import _pylsl
lsl = _pylsl()
outlet = lsl.StreamOutlet(lsl.StreamInfo("quiet", "MEG", 2, 100.0, "double64", "quiet"))
print(hasattr(lsl.lib.lib, "lsl_set_config_content"))
"""


def test_liblsl_does_not_talk_over_the_sentences_of_zeromag(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    environment = {name: value for name, value in os.environ.items() if name != "LSLAPICFG"} | {"HOME": str(tmp_path)}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-c", QUIET], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stderr == "" or done.stdout == "False\n"


def test_what_lsl_sends_arrives_whole_and_placed(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    assert alone(PROGRAM, tmp_path) == [
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
    assert printed(program) == ["LSL needs the package pylsl: pip install 'zeromag[lsl]'"]


# Acquires for three seconds with the raw stream on LSL, read back with mne-lsl while it runs.
MNE_LSL = """
import json, sys, threading, time
from pathlib import Path
import mne, numpy as np
mne.set_log_level("ERROR")
from mne_lsl.lsl import StreamInlet, resolve_streams
from mne_lsl import set_log_level
set_log_level("ERROR")
from tests.acquire_streams import Counter, counted
import zeromag.acquire.acquirer as acquirer
from zeromag.acquire.fif import to_info
from zeromag.acquire.pace import paced
from zeromag.session import Session

source = Counter(10**9)
acquirer.open_source = lambda *_, **__: source
stop = threading.Event()
work = threading.Thread(target=acquirer.acquire, args=("x",), kwargs=dict(
    stop=stop, announce=lambda _: None, session=Session().as_dict(), lsl="zm-raw"))
work.start()
streams = []
while not streams:
    streams = resolve_streams(timeout=2, name="zm-raw")
(found,) = streams
assert found.sfreq == 1000.0 and found.n_channels == 6
inlet = StreamInlet(found)
inlet.open_stream()
about = inlet.get_sinfo()
info, wanted = about.get_channel_info(), to_info(source.sensors, 1000.0)
assert info["ch_names"] == list(source.sensors.names)
assert info.get_channel_types() == ["mag"] * 6
for ours, theirs in zip(wanted["chs"], info["chs"]):
    for key in ("kind", "coil_type", "unit", "coord_frame"):
        assert ours[key] == theirs[key], (key, ours[key], theirs[key])
    assert np.allclose(ours["loc"], theirs["loc"], rtol=0, atol=0), theirs["loc"]
assert about.get_channel_units() == ["0"] * 6 and about.get_channel_types() == ["mag"] * 6
rows, stamps = [], []
while len(rows) < 1000:
    data, times = inlet.pull_chunk(timeout=1.0)
    rows.extend(data); stamps.extend(times)
inlet.close_stream()
stop.set()
work.join()
rows, stamps = np.array(rows), np.array(stamps)
first = int(np.flatnonzero((counted(0, 20000, 6) == rows[0]).all(axis=1))[0])
assert np.array_equal(rows, counted(first, first + len(rows), 6))
assert abs(np.polyfit(np.arange(len(stamps)), stamps, 1)[0] - 1e-3) < 2e-5
print("as sent")
"""


def test_mne_lsl_reads_what_acquire_sends_with_places_and_units(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    pytest.importorskip("mne_lsl", reason="the reader that is tried here: pip install mne-lsl")
    assert alone(MNE_LSL, tmp_path) == ["as sent"]


# Process B sends what it cleaned; a plain pylsl reader takes it.
FILTERED = """
import threading, time
import numpy as np
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.message import Description
from zeromag.acquire.lsl import LslSource
from zeromag.acquire.pace import paced
from zeromag.acquire.simulate import simulation
from zeromag.live.process import process
from zeromag.live.warm import warm
from zeromag.scan.scan import Scan
from zeromag.session import Session

session = Session().changed(**{"lsl.filtered": "zm-clean"})
spec = "sim:adult?seconds=20&rate=250&rows=4&columns=4&references=0"
source, stop, ready = simulation(spec, block=25), threading.Event(), threading.Event()
with Publisher(Description(source.sensors, source.rate)) as publisher:
    work = threading.Thread(target=process, args=(publisher.endpoint,), kwargs=dict(
        session=session, out=None, stop=stop, announce=lambda news: ready.set()))
    work.start()
    ready.wait(30)
    reader = LslSource("zm-clean", timeout=20)
    got = []
    def read():
        for block in reader.blocks():
            got.append(block)
            if block.stop >= 1000:
                return
    reading = threading.Thread(target=read)
    reading.start()
    time.sleep(1.0)
    sent = [block for block in source.blocks() if block.first < 2000]
    for block in paced((b for b in sent), 8.0):
        publisher(block)
    publisher.end(2000)
    reading.join(30)
    stop.set()
    work.join(60)
assert reader.sensors.names == source.sensors.names and reader.rate == 250.0
scan = Scan(sent[0], Session())
cleaned = np.concatenate([scan(block).cleaned.data for block in sent])
data = np.concatenate([block.data for block in got])[:900]
at = int(np.flatnonzero((cleaned == data[0]).all(axis=1))[0])
assert np.array_equal(cleaned[at : at + 900], data)
print("as cleaned")
"""


@pytest.mark.nightly
def test_process_sends_what_it_cleaned(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    assert alone(FILTERED, tmp_path) == ["as cleaned"]
