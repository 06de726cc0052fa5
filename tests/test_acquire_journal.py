"""The journal: what was acknowledged is there, whatever happens to the process or the disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acquire_streams import RATE, Counter, array, is_counted, joined, small_disk
from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal import Journal
from zeromag.acquire.journal_file import JournalFile, read_journal
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.recording import recover, verify
from zeromag.acquire.replay import replay
from zeromag.acquire.wire import decode, encode_block, encode_description, encode_end
from zeromag.block import Block
from zeromag.errors import InputError, StorageError

DESCRIPTION = Description(array(), RATE, {"source": "counter"})

# Writes blocks of 64 channels as fast as it can and says after each what is acknowledged.
WRITER = """
import os, struct, sys
from pathlib import Path
from tests.acquire_streams import Counter
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.wire import encode_block, encode_description
source = Counter(10**9, n=64)
with Journal(Path(sys.argv[1])) as journal:
    journal(encode_description(Description(source.sensors, 1000.0), Stamp(1, 2, 0)))
    for sequence, block in enumerate(source.blocks()):
        journal(encode_block(block, Stamp(1, 2, sequence)))
        os.write(1, struct.pack("<q", block.stop))
"""


def write(path: Path, source: Counter, *, end: bool = True) -> None:
    with Journal(path) as journal:
        journal(encode_description(Description(source.sensors, RATE), Stamp(1, 2, 0)))
        sequence = stop = 0
        for sequence, block in enumerate(source.blocks()):
            journal(encode_block(block, Stamp(1, 2, sequence)))
            stop = block.stop
        if end:
            journal(encode_end(End(stop, "done"), Stamp(1, 2, sequence + 1)), last=True)


def blocks_of(path: Path) -> list[Block]:
    description = JournalFile(path).description
    got = [decode(frame, description) for header, frame in read_journal(path) if header.kind == BLOCK]
    return [block for block in got if isinstance(block, Block)]


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "a.zmj"
    write(path, Counter(5000))
    got = blocks_of(path)
    assert is_counted(got)
    assert len(joined(got)) == 5000
    assert verify(path) == []


def test_an_existing_journal_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "a.zmj", Counter(100))
    with pytest.raises(StorageError, match="cannot be created"):
        Journal(tmp_path / "a.zmj")
    assert len(joined(blocks_of(tmp_path / "a.zmj"))) == 100


def killed_at(path: Path, seconds: float) -> int:
    """Run the writer, kill it after so long of writing, return what it had acknowledged."""
    root = Path(__file__).resolve().parent.parent
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=root)
    assert writer.stdout is not None
    first = os.read(writer.stdout.fileno(), 8)
    time.sleep(seconds)  # the instant of the kill is what is being varied, nothing is awaited
    writer.send_signal(signal.SIGKILL)
    said = first + writer.stdout.read()
    writer.stdout.close()
    writer.wait()
    whole = len(said) // 8 * 8
    return int(struct.unpack("<q", said[whole - 8 : whole])[0])


@pytest.mark.parametrize("times", [4, pytest.param(200, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])])
def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, times: int) -> None:
    chance = random.Random(times)
    for k in range(times):
        path = tmp_path / f"{k}.zmj"
        acknowledged = killed_at(path, chance.uniform(0.0, 0.3))
        got = blocks_of(path)
        assert is_counted(got), "a phantom"
        assert [block.first for block in got] == list(range(0, got[-1].stop, 10))
        assert acknowledged <= got[-1].stop <= acknowledged + 10
        recovered = recover(path, path.with_suffix(".zm.h5"))
        assert recovered.status == "recovered"
        assert (joined(list(replay(recovered.path).blocks())) == joined(got)).all()
        path.unlink()
        recovered.path.unlink()


def test_any_torn_tail_costs_one_frame_at_most(tmp_path: Path) -> None:
    write(tmp_path / "a.zmj", Counter(200), end=False)
    whole = (tmp_path / "a.zmj").read_bytes()
    starts = [len(whole)]
    for _, frame in reversed(list(read_journal(tmp_path / "a.zmj"))[-3:]):
        starts.append(starts[-1] - len(frame))
    for cut in range(starts[-1], len(whole), 7):
        path = tmp_path / "cut.zmj"
        path.write_bytes(whole[:cut])
        got = blocks_of(path)
        assert got[-1].stop == 200 - 10 * sum(cut < end for end in starts[:-1])
        path.write_bytes(whole[:cut] + bytes(100_000))  # room that was reserved
        padded = blocks_of(path)  # a frame that zeros complete was complete
        assert is_counted(padded)
        assert padded[-1].stop in {got[-1].stop, got[-1].stop + 10}


def test_damage_in_the_middle_is_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.zmj"
    write(path, Counter(1000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    problems = verify(path)
    assert len(problems) == 2
    assert "checksum" in problems[0]
    assert "missing" in problems[1]
    recovered = recover(path, tmp_path / "a.zm.h5")
    assert (recovered.samples, recovered.gaps, recovered.status) == (990, 1, "gaps 1")
    got = list(replay(tmp_path / "a.zm.h5").blocks())
    assert is_counted(got)
    assert [event.samples for block in got for event in block.events] == [10]


@pytest.mark.parametrize("content", [b"", b"hello", bytes(1000), b"ZMAG" * 100])
def test_what_is_no_journal_is_said_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zmj"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a journal"):
        recover(path, tmp_path / "a.zm.h5")
    assert list(tmp_path.iterdir()) == [path]


def filled(journal: Journal, source: Counter) -> tuple[int, int, str]:
    """Write until the disk is full: the samples acknowledged, the sequence that was not, and what was said."""
    acknowledged = 0
    for sequence, block in enumerate(source.blocks()):
        try:
            journal(encode_block(block, Stamp(1, 2, sequence)))
        except StorageError as error:
            return acknowledged, sequence, str(error)
        acknowledged = block.stop
    raise AssertionError("the disk was never full")


@pytest.mark.parametrize("size", [256 << 10, 300 << 10, 1 << 20, (1 << 20) + 4096])
def test_a_full_disk_loses_nothing_acknowledged(tmp_path: Path, size: int) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        path = disk / "a.zmj"
        source = Counter(10**9, n=16)
        with Journal(path, sync_seconds=0.01) as journal:
            journal(encode_description(Description(source.sensors, RATE), Stamp(1, 2, 0)))
            acknowledged, sequence, said = filled(journal, source)
            assert f"the disk mounted at {disk} is full" in said
            journal(encode_end(End(acknowledged, "the disk is full"), Stamp(1, 2, sequence)), last=True)
        got = blocks_of(path)
        assert is_counted(got)
        assert got[-1].stop == acknowledged
        assert verify(path) == []
        assert acknowledged * 16 * 4 > 0.6 * size


def test_how_long_the_disk_lasts_is_known(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.zmj", sync_seconds=0.02) as journal:
        journal(encode_description(DESCRIPTION, Stamp(1, 2, 0)))
        frame = next(Counter(10).blocks())
        sequence = 0
        while journal.seconds_left == float("inf"):
            journal(encode_block(frame, Stamp(1, 2, sequence)))
            sequence += 1
        assert journal.seconds_left > 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no room")
def test_no_write_waits_for_much_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve, asked = os.posix_fallocate, list[int]()

    def seen(file: int, start: int, size: int) -> None:
        asked.append(size)
        reserve(file, start, size)

    monkeypatch.setattr(os, "posix_fallocate", seen)
    frame = encode_block(next(iter(Counter(2000, block=2000, n=64).blocks())), Stamp(1, 2, 0))
    with Journal(tmp_path / "fast.zmj", sync_seconds=0.05) as journal:
        written, until = 0, time.monotonic() + 60
        while sum(asked) - written < 6 << 22:  # at this pace 64 MB ahead are wanted
            assert time.monotonic() < until
            journal(frame)
            written += len(frame)
            time.sleep(0.012)
    assert max(asked) <= 1 << 22


def in_memory(path: Path, offset: int) -> bool:
    """Whether a byte of a file can be had without the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
    finally:
        os.close(file)


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="this system does not tell what of a file is in memory")
def test_what_is_long_on_the_disk_is_let_go_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if subprocess.check_output(["stat", "-f", "-c", "%T", tmp_path], text=True).strip() == "tmpfs":
        pytest.skip("the temporary folder is in memory itself")
    monkeypatch.setattr("zeromag.acquire.journal.IN_MEMORY", 1 << 20)
    source, path = Counter(40_000, block=2000, n=64), tmp_path / "a.zmj"
    with Journal(path, sync_seconds=0.05) as journal:
        journal(encode_description(Description(source.sensors, RATE), Stamp(1, 2, 0)))
        for sequence, block in enumerate(source.blocks()):
            journal(encode_block(block, Stamp(1, 2, sequence)))
        assert in_memory(path, 40_000 * 64 * 4)  # of a little more than that: what is newest stays
        until = time.monotonic() + 60
        while in_memory(path, 1 << 20) or in_memory(path, 5 << 20):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert in_memory(path, 40_000 * 64 * 4)
    assert is_counted(blocks_of(path))
    assert len(joined(blocks_of(path))) == 40_000


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no room")
def test_room_for_minutes_is_there_before_the_first_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve, ends = os.posix_fallocate, list[int]()

    def seen(file: int, start: int, size: int) -> None:
        ends.append(start + size)
        reserve(file, start, size)

    monkeypatch.setattr(os, "posix_fallocate", seen)
    frame = encode_block(next(iter(Counter(2000, block=2000, n=64).blocks())), Stamp(1, 2, 0))
    pace = len(frame)
    wanted = min(300 * pace, shutil.disk_usage(tmp_path).free // 9)  # an eighth at most, and others write here too
    with Journal(tmp_path / "a.zmj", sync_seconds=100, pace=pace) as journal:
        reserved = list(ends)
        assert reserved[-1] >= wanted
        for _ in range(wanted // (10 * len(frame))):
            journal(frame)
        assert ends == reserved  # no write had to look for room
        size = wanted // (10 * len(frame)) * len(frame)
    assert (tmp_path / "a.zmj").stat().st_size == size
