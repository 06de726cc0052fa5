"""A block exists in A until B holds it filtered, beside mne-lsl's `StreamLSL`: `python -m benchmarks.end_to_end`.

    python -m benchmarks.end_to_end [--turns 20] [--channels 64 128]

Both B's carry the same seven biquads (band-pass 1-40 Hz of order 4, notches at 50, 100 and 150 Hz). A gives the same
blocks of ten at 1 kHz, to ours as a device's counts and to an LSL outlet in tesla, in turns of a second; the process
whose turn it is not is stopped by the system, so that it costs the other nothing. The reader of mne-lsl asks every half
millisecond, as its authors tell users to. The first tenth of a second of each turn, in which a process wakes, is not
counted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Line, keep
from benchmarks.recorder import array
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.filters import BandPass, Notch
from zeromag.pipeline import Chain

RATE, BLOCK, TURN_S = 1000.0, 10, 1.0
WAKING = 10  # blocks of each turn that are not counted
POLL_S = 0.5e-3
LOCAL = "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[lab]\nKnownPeers = {127.0.0.1}\n"

Seen = tuple[list[float], list[float]]  # when each filtered block was held, and how late that was: s


def ours(endpoint: str) -> Seen:
    """Filter what comes over the project's hop until its end."""
    chain = Chain((BandPass(1.0, 40.0, order=4), Notch(50.0, harmonics=3)))
    held, late = list[float](), list[float]()
    with Subscription(endpoint) as source:
        chain.warm(source.sensors, source.rate, BLOCK)
        print("ready", flush=True)
        step = None
        for block in source.blocks():
            step = step or chain.start(block)
            step(block)
            held.append(time.monotonic())
            late.append(held[-1] - 1e-9 * block.t_ns)
    return held, late


def theirs(name: str) -> Seen:
    """Let `StreamLSL` filter until standard input ends."""
    from mne_lsl import set_log_level
    from mne_lsl.lsl import local_clock
    from mne_lsl.stream import StreamLSL

    set_log_level("error")
    stream = StreamLSL(bufsize=2, name=name).connect(acquisition_delay=1e-3, timeout=30)
    stream.filter(1.0, 40.0, iir_params={"order": 4, "ftype": "butter", "output": "sos"})
    for line in (50.0, 100.0, 150.0):
        stream.notch_filter(line, iir_params={"order": 1, "ftype": "butter", "output": "sos"})
    over = threading.Event()

    def until_closed() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=until_closed, daemon=True).start()
    print("ready", flush=True)
    held, late = list[float](), list[float]()
    while not over.is_set():
        if stream.n_new_samples:
            _, stamps = stream.get_data()
            now = local_clock()
            held.append(now)
            late.append(now - float(stamps[-1]))
        else:
            time.sleep(POLL_S)
    stream.disconnect()
    return held, late


READERS: dict[str, Callable[[str], Seen]] = {"ours": ours, "mne-lsl": theirs}


def counted(held: list[float], late: list[float]) -> NDArray[np.float64]:
    """Return the latencies without those while the process was waking after a turn of the other's."""
    since = np.concatenate([[True], np.diff(held) > TURN_S / 2])
    turn = np.cumsum(since)
    within = np.arange(len(held)) - np.flatnonzero(since)[turn - 1]
    return np.asarray(np.array(late)[within >= WAKING], dtype=np.float64)


def run(channels: int, turns: int) -> list[Line]:
    """Return the lines of one array."""
    import pylsl

    name, sensors = f"end-to-end-{uuid4()}", array(channels)
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (50, BLOCK, channels), dtype=np.int32)
    parts = counts * sensors.quantum
    info = pylsl.StreamInfo(name, "MEG", channels, RATE, pylsl.cf_double64, name)
    outlet = pylsl.StreamOutlet(info)
    with Publisher(Description(sensors, RATE)) as publisher:
        places = {"ours": publisher.endpoint, "mne-lsl": name}
        readers = {
            who: subprocess.Popen(
                [sys.executable, "-m", "benchmarks.end_to_end", "--receive", who, place],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for who, place in places.items()
        }  # fmt: skip
        for reader in readers.values():
            if reader.stdout is None or reader.stdout.readline() != "ready\n":
                raise SystemExit("a reader ended before it was ready; is mne-lsl installed?")
        used = {who: -_cpu(reader.pid) for who, reader in readers.items()}
        for reader in readers.values():
            os.kill(reader.pid, signal.SIGSTOP)
        first, number = 0, 0
        for turn in range(2 * turns):
            who = ("ours", "mne-lsl")[turn % 2]
            os.kill(readers[who].pid, signal.SIGCONT)
            due = time.monotonic()
            for _ in range(round(TURN_S * RATE / BLOCK)):
                due += BLOCK / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                read, fresh = (given[number % len(given)].copy() for given in (counts, parts))
                number += 1
                if who == "ours":
                    publisher(Block.of_counts(read, first, RATE, sensors, t_ns=time.monotonic_ns()))
                    first += BLOCK
                else:
                    outlet.push_chunk(fresh, pylsl.local_clock())
            time.sleep(0.05)
            os.kill(readers[who].pid, signal.SIGSTOP)
        for reader in readers.values():
            os.kill(reader.pid, signal.SIGCONT)
        for who, reader in readers.items():
            used[who] += _cpu(reader.pid)
        publisher.end(first)
        said = {who: json.loads(reader.communicate("")[0]) for who, reader in readers.items()}
    late = {who: counted(*seen) for who, seen in said.items()}
    whole = turns * round(TURN_S * RATE / BLOCK)
    what = f"block to filtered, {channels} ch x {RATE / 1e3:g} kHz"
    lines = []
    for q, bar in ((50, "0.35 x at most, moonshot 0.2"), (99, "0.3 x at most, moonshot 0.15")):
        mine, other = (1e3 * float(np.percentile(late[who], q)) for who in ("ours", "mne-lsl"))
        note = f"{whole - len(said['ours'][0])} blocks missing; turns of a second"
        lines.append(
            Line(f"{what}, p{q}, ours / theirs", mine, "ms", other, "mne-lsl", mine / other, bar=bar, note=note)
        )
    mine, other = (100 * used[who] / (turns * TURN_S) for who in ("ours", "mne-lsl"))
    bar = "0.1 x at most, moonshot 0.05"
    lines.append(Line(f"{what}, CPU of B, ours / theirs", mine, "% of a core", other, "mne-lsl", mine / other, bar=bar))
    return lines


def _cpu(pid: int) -> float:
    """Return what a process has used, s."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20, help="of a second, each")
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        print(json.dumps(READERS[options.receive[0]](options.receive[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "lsl.cfg"
        config.write_text(LOCAL, encoding="utf-8")
        os.environ["LSLAPICFG"] = str(config)
        lines = [line for channels in options.channels for line in run(channels, options.turns)]
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
