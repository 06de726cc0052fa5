"""What an LSL sender or its reader loses, skips or comes back with is told: real outlets in processes of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.instrument import alone
from zeromag.acquire.replay import replay

# A device that goes on by its own clock whether anybody sends or reads it: each value is the index of its sample.
DEVICE = """
import signal, sys, time
import pylsl
began, back, rate, n = (float(word) for word in sys.argv[1:])
info = pylsl.StreamInfo("zm-stall", "MEG", int(n), rate, pylsl.cf_double64, "zm-stall")
channels = info.desc().append_child("channels")
for number in range(int(n)):
    channel = channels.append_child("channel")
    for key, value in {"label": f"S{number}", "type": "mag", "unit": "0"}.items():
        channel.append_child_value(key, value)
    place = channel.append_child("loc")
    for key in ("R0x", "R0y", "R0z", "Exx", "Exy", "Exz", "Eyx", "Eyy", "Eyz", "Ezx", "Ezy"):
        place.append_child_value(key, "0.0")
    place.append_child_value("Ezz", "1.0")
outlet = pylsl.StreamOutlet(info)
skip = []
signal.signal(signal.SIGUSR1, lambda *_: skip.append(50))
signal.signal(signal.SIGUSR2, lambda *_: skip.append(150))
print("ready", flush=True)
at = int((pylsl.local_clock() - began) * rate)
while True:
    time.sleep(0.01)
    upto = int((pylsl.local_clock() - began) * rate)
    at = upto - 10 if upto - at > 400 else at  # what it missed while it stood still is gone
    while skip:
        at += skip.pop()
    if at < upto:
        outlet.push_chunk([[float(k)] * int(n) for k in range(at, upto)], began - back + (upto - 1) / rate)
        at = upto
"""

# Reads the device through what is done to it; every sample must stand where the device took it.
STALLS = """
import os, signal, subprocess, sys, threading, time
import pylsl
from zeromag.acquire.source import open_source
device, stall, what = sys.argv[1], float(sys.argv[2]), sys.argv[3].split(",")
began = pylsl.local_clock()

def start(back=0.0):
    words = [sys.executable, "-c", device, repr(began), repr(back), "1000", "1"]
    sender = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    sender.stdout.readline()
    return sender

sender = start()
blocks = open_source("lsl:zm-stall", block=10).blocks()
lost, shift = 0, None

def taken():
    global lost
    block = next(blocks)
    lost += sum(event.samples for event in block.events if event.kind == "gap")
    return block

def read(until):
    global shift
    while True:
        block = taken()
        shift = block.data[0, 0] - block.first if shift is None else shift
        assert (block.data[:, 0] == shift + block.first + range(len(block))).all(), (block.data[0, 0], block.first)
        if block.stop + shift >= until:
            return

def read_rebooted():
    global shift
    while not (block := taken()).events:
        pass
    off = block.data[0, 0] - block.first - shift
    assert abs(off) < 1000, off  # measured by arrivals, of a machine that may be busy: no clock goes through
    shift += off

def reboot():
    global sender
    sender = start(900.0)

def now():
    return (pylsl.local_clock() - began) * 1000.0

try:
    read(now() + 1200)
    for how in what:
        before = lost
        if how == "reader":
            time.sleep(stall)
        elif how == "sender":
            sender.send_signal(signal.SIGSTOP)
            time.sleep(stall)
            sender.send_signal(signal.SIGCONT)
        elif how in {"50", "150"}:
            sender.send_signal(signal.SIGUSR1 if how == "50" else signal.SIGUSR2)
        else:
            sender.kill()
            sender.wait()
            if how == "restart":
                time.sleep(stall)
                sender = start()
            elif how == "unheard":  # it is back, and sends, long before the reader looks
                reboot()
                time.sleep(4.0)
                read_rebooted()
            else:
                threading.Timer(stall, reboot).start()
                read_rebooted()
        read(now() + 500)
        print(how, lost - before)
finally:
    sender.kill()
    sender.wait()
"""


@pytest.mark.parametrize(
    ("stall", "what"),
    [(0.5, "50,150,sender,unheard"), pytest.param(10.0, "reader,sender,restart,reboot", marks=pytest.mark.nightly)],
)
def test_what_is_lost_is_a_gap_of_its_length(tmp_path: Path, stall: float, what: str) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    for line in alone(STALLS, tmp_path, DEVICE, str(stall), what):
        how, lost = line.split()
        if how == "reader":
            assert int(lost) == 0
        elif how in {"50", "150"}:  # what the sender's clock skipped
            assert int(lost) == int(how)
        elif how == "unheard":
            assert 0 < int(lost) < 20_000
        else:  # each sample stands where it was taken, which the program itself checks: so the gap is exact
            assert 1000 * stall - 50 <= int(lost) < 1000 * stall + 20_000


# Acquires from the device, which comes back with another rate and then with one more channel.
OTHERS = """
import subprocess, sys, threading, time
from pathlib import Path
import pylsl
from zeromag.acquire.acquirer import acquire
from zeromag.session import Session
device, out = sys.argv[1:]
began, said, stop = repr(pylsl.local_clock()), [], threading.Event()

def start(*words):
    sender = subprocess.Popen([sys.executable, "-c", device, began, "0", *words], stdout=subprocess.PIPE, text=True)
    sender.stdout.readline()
    return sender

sender = start("1000", "1")
work = threading.Thread(target=acquire, args=("lsl:zm-stall",), kwargs=dict(
    record=Path(out), stop=stop, announce=said.append, session=Session().as_dict()))
work.start()
for words, wanted in ((("500", "1"), "this is another stream"), (("500", "2"), "the source gives 2 channels, with S1")):
    time.sleep(2.0)
    sender.kill()
    sender.wait()
    sender, begin = start(*words), time.monotonic()
    while not any(wanted in one.get("say", "") for one in said):
        assert time.monotonic() < begin + 20, said
        time.sleep(0.05)
    print(round(time.monotonic() - begin, 1), file=sys.stderr)
time.sleep(1.0)
stop.set()
work.join()
sender.kill()
sender.wait()
print(sum("was lost" in one.get("say", "") for one in said))
"""


@pytest.mark.nightly
def test_a_sender_that_comes_back_as_another_is_noticed(tmp_path: Path) -> None:
    pytest.importorskip("pylsl", reason="LSL needs pylsl: pip install 'zeromag[lsl]'")
    assert alone(OTHERS, tmp_path, DEVICE, str(tmp_path / "out")) == ["2"]
    first, second = (replay(tmp_path / "out" / name) for name in ("raw.zm.h5", "raw-2.zm.h5"))
    assert (first.rate, second.rate) == (1000.0, 500.0)
    for source in (first, second):
        blocks = list(source.blocks())
        index = np.concatenate([block.data[:, 0] for block in blocks])
        assert (np.diff(index)[np.diff(index) < 100] == 1).all()  # within a stretch each sample of the device once
    kinds = [event.kind for block in blocks for event in block.events]
    assert sorted(kinds) == ["gap", "source/changed"]
