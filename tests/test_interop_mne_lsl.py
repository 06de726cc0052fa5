"""mne-lsl as the peer: its player's stream is read by ours, our stream is recorded by its StreamLSL."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.instrument import alone
from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation

# our source reads what mne-lsl plays of a FIF that we wrote
PLAYED = """
import sys
import mne
import numpy as np
from mne_lsl.player import PlayerLSL
from zeromag.acquire.source import open_source

mne.set_log_level("error")
raw = mne.io.read_raw_fif(sys.argv[1], preload=True)
with PlayerLSL(sys.argv[1], chunk_size=10, n_repeat=np.inf, name="zm-player"):
    source = open_source("lsl:zm-player", block=10)
    names = tuple(raw.ch_names)
    assert source.sensors.names == names, source.sensors.names
    loc = np.array([channel["loc"] for channel in raw.info["chs"]])
    assert np.abs(source.sensors.positions - loc[:, :3]).max() < 1e-7
    assert np.abs(source.sensors.axes - loc[:, 9:]).max() < 1e-6
    assert source.rate == raw.info["sfreq"]
    rows = []
    for block in source.blocks():
        rows.append(block.data)
        if sum(map(len, rows)) >= 500:
            break
played, got = raw.get_data().T, np.concatenate(rows)[:500]
start = int(np.argmin(np.abs(played - got[0]).sum(axis=1)))
wanted = np.concatenate([played, played])[start : start + 500]
print("largest difference", np.abs(wanted - got).max() / np.abs(wanted).max(), set(source.sensors.kinds))
"""

# mne-lsl reads what we send
SENT = """
import threading, time
import mne
import numpy as np
from mne_lsl.stream import StreamLSL
from zeromag.acquire.lsl import LslOutlet
from zeromag.acquire.simulate import simulation

mne.set_log_level("error")
source = simulation("sim:adult?seconds=4&references=0", block=20)
whole = np.concatenate([block.data for block in source.blocks()])
outlet = LslOutlet(source.sensors, source.rate, "zm-ours")
stream = StreamLSL(bufsize=10, name="zm-ours").connect(acquisition_delay=0.05, timeout=20)
assert tuple(stream.ch_names) == source.sensors.names
assert set(stream.get_channel_types()) == {"mag"}
told = [(channel["coil_type"], channel["unit"], channel["unit_mul"]) for channel in stream.info["chs"]]
assert told == [(coil, 112, 0) for coil in source.sensors.coils], told  # FIFF's number of the tesla, times one
loc = np.array([channel["loc"] for channel in stream.info["chs"]])
assert np.abs(loc[:, :3] - source.sensors.positions).max() < 1e-7
assert np.abs(loc[:, 9:] - source.sensors.axes).max() < 1e-7
for block in source.blocks():
    outlet(block)
end = time.monotonic() + 20
data = np.zeros((0, 36))
while time.monotonic() < end:
    data, stamps = stream.get_data()
    data = data.T[stamps > 0]
    if len(data) >= 4000:
        break
    time.sleep(0.05)
stream.disconnect()
print("largest difference", np.abs(data[-4000:] - whole).max() / np.abs(whole).max(), len(data))
"""


needed = pytest.mark.skipif(not importlib.util.find_spec("mne_lsl"), reason="mne-lsl as a peer: pip install mne-lsl")


@needed
@pytest.mark.nightly
def test_ours_reads_what_mne_lsl_plays(tmp_path: Path) -> None:
    write_fif(tmp_path / "played_meg.fif", simulation("sim:adult?seconds=5&references=0"))
    said = alone(PLAYED, tmp_path, str(tmp_path / "played_meg.fif"))[-1]
    assert float(said.split()[2]) < 1e-6, said
    assert "{'mag'}" in said


@needed
@pytest.mark.nightly
def test_mne_lsl_reads_what_ours_sends(tmp_path: Path) -> None:
    said = alone(SENT, tmp_path)[-1]
    assert float(said.split()[2]) == 0.0, said
    assert int(said.split()[3]) == 4000
