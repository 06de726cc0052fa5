"""Process A among other processes: whoever is killed, what was recorded is whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import RATE, Counter, counted, is_counted, joined, small_disk
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.frame import BLOCK, END
from zeromag.acquire.journal_file import JournalFile, read_journal
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import recover, verify, write_recording
from zeromag.acquire.replay import replay
from zeromag.acquire.seal import read_seal
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import InputError, LinkError, SourceLostError, StorageError

ROOT = Path(__file__).resolve().parent.parent

# Acquires counted samples in real time until its standard input closes.
ACQUIRE = """
import json, sys, threading
from pathlib import Path
from tests.acquire_streams import Counter
import zeromag.acquire.acquirer as acquirer
acquirer.open_source = lambda spec, block, patient: Counter(10**9, block)
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
def announce(news):
    print(json.dumps(news), flush=True)
summary = acquirer.acquire("counter", record=Path(sys.argv[1]), stop=stop, announce=announce, session={"a": 1})
announce({"summary": summary})
"""

READ = """
import sys
from zeromag.acquire.subscription import Subscription
with Subscription(sys.argv[1], newest_only=sys.argv[2] == "eye") as source:
    while True:
        if source.receive(5) is not None:
            print("got", flush=True)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two and a half seconds of counted samples."""
    path = tmp_path / "counted.zm.h5"
    write_recording(path, Counter(2500))
    return path


@pytest.fixture
def running(tmp_path: Path) -> Generator[subprocess.Popen[str], None, None]:
    """An acquisition that goes on until its input is closed."""
    command = [sys.executable, "-c", ACQUIRE, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.kill()


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Let the acquisition end in order; return its summary."""
    assert process.stdin is not None
    process.stdin.close()
    summary: dict[str, Any] = heard(process, "summary")
    return summary


def heard(process: subprocess.Popen[str], key: str) -> Any:
    assert process.stdout is not None
    for line in process.stdout:
        news = json.loads(line)
        if key in news:
            return news[key]
    raise AssertionError(f"the process ended without telling {key}")


def reading(endpoint: str, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", READ, endpoint, how], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "got\n"
    return process


def test_killed_readers_leave_the_recording_whole_and_come_back_to_all_of_it(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    endpoint = heard(running, "endpoint")
    for how in ("processor", "eye"):
        reader = reading(endpoint, how)
        reader.send_signal(signal.SIGKILL)
        assert reader.stdout is not None
        reader.stdout.close()
        reader.wait()
    blocks = Subscription(endpoint).blocks()
    again = [next(blocks)]
    told = threading.Thread(target=lambda: again.extend(blocks))
    told.start()
    summary = ended(running)
    told.join()
    assert is_counted(again)
    assert len(joined(again)) == summary["samples"]
    assert verify(tmp_path / "out" / "raw.zm.h5") == []
    kept = joined(list(replay(tmp_path / "out" / "raw.zm.h5").blocks()))
    assert_array_equal(kept, counted(0, summary["samples"], 6))


def test_a_killed_acquirer_is_noticed_and_its_journal_is_whole(running: subprocess.Popen[str], tmp_path: Path) -> None:
    got: list[Block] = []
    blocks = Subscription(heard(running, "endpoint")).blocks()
    while not got or got[-1].stop < 500:
        got.append(next(blocks))
    running.send_signal(signal.SIGKILL)
    with pytest.raises(SourceLostError, match="no sign of life"):
        got.extend(blocks)
    journal = tmp_path / "out" / "raw.zmj"
    last = max(header.first + header.samples for header, _ in read_journal(journal) if header.kind == BLOCK)
    assert got[-1].stop <= last  # journal first: nobody ever saw what is not kept
    assert recover(journal, tmp_path / "r.zm.h5").status == "recovered"
    assert_array_equal(joined(list(replay(tmp_path / "r.zm.h5").blocks())), counted(0, last, 6))


def acquired(spec: Path | str, record: Path | None, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    stop = more.pop("stop", threading.Event())
    return acquire(str(spec), record=record, stop=stop, announce=told.append, session={}, pace=False, **more), told


def test_a_stretch_of_seconds_ends_to_the_sample(source: Path, tmp_path: Path) -> None:
    summary, told = acquired(source, tmp_path / "out", seconds=1.2345, block=10)
    assert summary["samples"] == round(1.2345 * RATE)
    assert [next(iter(news)) for news in told] == ["journal", "endpoint", "recording"]
    assert verify(Path(summary["recording"])) == []
    assert sum(len(b) for b in replay(Path(summary["recording"])).blocks()) == summary["samples"]


def test_a_second_run_takes_another_name(source: Path, tmp_path: Path) -> None:
    first, _ = acquired(source, tmp_path / "out")
    second, _ = acquired(source, tmp_path / "out")
    assert Path(first["journal"]).name == "raw.zmj"
    assert Path(second["journal"]).name == "raw-2.zmj"


def test_stopping_ends_in_order(tmp_path: Path) -> None:
    stop = threading.Event()
    told: list[dict[str, Any]] = []

    def announce(news: dict[str, Any]) -> None:
        told.append(news)
        if "endpoint" in news:
            threading.Thread(target=lambda: (next(Subscription(news["endpoint"]).blocks()), stop.set())).start()

    summary = acquire("sim:adult", record=tmp_path, stop=stop, announce=announce, session={"source": "sim:adult"})
    assert summary["samples"] > 0
    journal = JournalFile(tmp_path / "raw.zmj")
    assert journal.description.session == {"source": "sim:adult"}
    assert verify(tmp_path / "raw.zm.h5") == []


def test_a_source_that_fails_keeps_what_came(tmp_path: Path) -> None:
    path = tmp_path / "a.zm.h5"
    write_recording(path, Counter(12_000))
    data = read_seal(path).data
    content = bytearray(path.read_bytes())
    content[data.offsets[5] + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        acquired(path, tmp_path / "out")
    got = list(replay(tmp_path / "out" / "raw.zm.h5").blocks())
    assert is_counted(got)
    assert 0 < got[-1].stop <= 5 * data.rows


def test_a_folder_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        acquired(source, tmp_path / "file" / "out")


def test_a_second_one_on_a_port_leaves_no_journal(source: Path, tmp_path: Path) -> None:
    with (
        Publisher(Description(Counter(10).sensors, 1000.0)) as publisher,
        pytest.raises(LinkError, match="is another zeromag running there"),
    ):
        acquired(source, tmp_path / "out", bind=publisher.endpoint)
    assert list((tmp_path / "out").iterdir()) == []


def test_off_loopback_without_keys_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="--keys"):
        acquired(source, None, bind="tcp://0.0.0.0:*")
    assert not (tmp_path / "out").exists()


def test_another_zeromag_is_a_source(running: subprocess.Popen[str], tmp_path: Path) -> None:
    summary, _ = acquired(heard(running, "endpoint"), tmp_path / "copy", seconds=1.5)
    assert summary["samples"] == 1500
    got = joined(list(replay(tmp_path / "copy" / "raw.zm.h5").blocks()))
    assert_array_equal(got.view(np.int64), counted(0, 1500, 6).view(np.int64))


def test_the_core_of_acquisition_is_light() -> None:
    program = (
        "import sys, zeromag.acquire.publisher, zeromag.acquire.subscription, zeromag.acquire.acquirer\n"
        "print(sorted({'mne', 'h5py', 'scipy', 'numba', 'wfdb', 'matplotlib', 'PySide6'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out == "[]\n"


class Faulty:
    """A device that is 0.4 % fast and then breaks in a way nobody thought of."""

    sensors, rate = Counter(1).sensors, RATE

    def blocks(self) -> Generator[Block, None, None]:
        for block in Counter(20_000).blocks():
            yield Block(block.data, block.first, RATE, block.sensors, t_ns=1 + round(block.stop * 1e9 / 1004))
        raise ZeroDivisionError("inside the driver")


def test_a_device_off_its_rate_that_breaks_is_said_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeromag.acquire.acquirer.open_source", lambda *_, **__: Faulty())
    told: list[dict[str, Any]] = []
    with pytest.raises(SourceLostError, match=r"failed after sample 20000: ZeroDivisionError\('inside the driver'\)"):
        acquire("x", record=tmp_path, stop=threading.Event(), announce=told.append, session={})
    assert [news["say"] for news in told if "say" in news] == ["the source gives 1004.00 samples a second, not 1000"]
    assert_array_equal(joined(list(replay(tmp_path / "raw.zm.h5").blocks())), counted(0, 20_000, 6))


def test_a_full_disk_ends_the_run_and_names_the_disk(tmp_path: Path) -> None:
    write_recording(tmp_path / "long.zm.h5", Counter(30_000))
    with small_disk(tmp_path / "disk", 400 << 10) as disk:
        with pytest.raises(StorageError, match=f"the disk mounted at {disk} is full"):
            acquired(tmp_path / "long.zm.h5", disk)
        assert verify(disk / "raw.zmj") == []
        assert list(read_journal(disk / "raw.zmj"))[-1][0].kind == END
        recovered = recover(disk / "raw.zmj", tmp_path / "r.zm.h5")
    assert recovered.status == "complete"
    assert is_counted(list(replay(recovered.path).blocks()))
