"""Mutated frames, journals and recordings: refused or read right, never a crash, a hang or a growing memory."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest

from tests.acquire_streams import RATE, Counter, Given, array, counted, is_counted
from zeromag.acquire.frame import FrameError, read_header
from zeromag.acquire.message import Description, End, Result, Stamp
from zeromag.acquire.recording import write_recording
from zeromag.acquire.replay_server import BATCH_FRAMES, REQUEST, ReplayServer
from zeromag.acquire.seal import _MAGIC, _TAIL, Seal, _rest
from zeromag.acquire.shelf import Shelf
from zeromag.acquire.wire import decode, encode_block, encode_description, encode_end, encode_result
from zeromag.block import Block
from zeromag.event import Event

ROOT = Path(__file__).resolve().parent.parent
SENSORS = array(5)
DESCRIPTION = Description(SENSORS, RATE, {"source": "x"})
STAMP = Stamp(1, 2, 3)

MANY = pytest.mark.parametrize("times", [10_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])


def frames() -> list[bytes]:
    block = Block(counted(0, 10, 5), 0, RATE, SENSORS, np.zeros((10, 5), dtype=np.bool_), (Event(3, "mark"),))
    return [
        encode_block(block, STAMP),
        encode_description(DESCRIPTION, STAMP),
        encode_result(Result("map", {"a": [1, {"b": None}]}, {"bz": np.zeros((3, 3))}), STAMP),
        encode_end(End(10, "done"), STAMP),
    ]


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Return `content` with bytes changed, cut out, doubled or cut off."""
    broken = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(broken)) if broken else 0
        what = chance.randrange(4)
        if what == 0 and broken:
            broken[at] = chance.randrange(256)
        elif what == 1:
            del broken[at : at + chance.randint(1, 40)]
        elif what == 2:
            broken[at:at] = broken[at : at + chance.randint(1, 40)]
        else:
            del broken[max(at, 1) :]
    return bytes(broken)


@MANY
def test_mutated_frames_are_refused_and_memory_stays(times: int) -> None:
    chance = random.Random(1)
    whole = frames()
    process = psutil.Process()
    refused, start = 0, 0
    for k in range(times):
        frame = chance.choice(whole)
        broken = mutated(chance, frame)
        if broken == frame:
            continue
        with pytest.raises(FrameError):
            decode(broken, DESCRIPTION)
        refused += 1
        if k == times // 4:
            start = process.memory_info().rss
    assert refused > 0.9 * times
    assert process.memory_info().rss - start < 16 << 20


@MANY
def test_frames_with_a_right_checksum_and_no_sense_are_refused_too(times: int) -> None:
    """Whoever can compute a CRC is not trusted either: the content is checked as well."""
    import struct

    chance = random.Random(2)
    whole = frames()
    refused = 0
    for _ in range(times // 4):
        broken = bytearray(mutated(chance, chance.choice(whole)))
        if len(broken) < 80:
            continue
        broken[0:6] = b"ZMAG\x01\x00"
        broken[68:72] = struct.pack("<I", len(broken) - 80)
        broken[76:80] = struct.pack("<I", zlib.crc32(broken[80:], zlib.crc32(broken[:76])))
        try:
            message = decode(bytes(broken), DESCRIPTION)
        except FrameError:
            refused += 1
        else:
            assert isinstance(message, (Block, Description, Result, End))
    assert refused > 0


@MANY
def test_any_request_to_the_replay_server_is_answered_within_bounds(times: int) -> None:
    chance = random.Random(3)
    shelf = Shelf(50_000)
    for _ in range(1000):
        shelf.put(frames()[3])
    server = ReplayServer(shelf, None, epoch=7)
    for _ in range(times // 4):
        word = chance.choice([b"FROM", b"HELO", b"BYE ", chance.randbytes(4)])
        epoch = chance.choice([7, chance.getrandbits(64)])
        sequence = chance.choice([chance.randrange(1100), chance.getrandbits(64)])
        request = REQUEST.pack(word, epoch, sequence)
        who = chance.randbytes(2)
        answer = server.answer(who, mutated(chance, request) if chance.random() < 0.3 else request, 1000)
        assert answer is None or len(answer) <= 1 + BATCH_FRAMES
    assert server.consumers() <= 1000


def resealed(chance: random.Random, content: bytes) -> bytes:
    """Return a recording with tables and seal changed by somebody who can compute its checksums."""
    broken = bytearray(content)
    length = int.from_bytes(content[-16:-12], "little")
    begin = len(content) - 16 - length
    body = msgspec.msgpack.decode(content[begin:-16])
    for _ in range(chance.randint(0, 4)):
        broken[chance.randrange(begin)] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    for _ in range(chance.randint(0, 2)):
        place: Any = body
        while True:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], (dict, list)) or not place[key] or chance.random() < 0.1:
                break
            place = place[key]
        place[key] = chance.choice([-1, 0, 1, 7, 2**31, 2**62, 2**63 - 1, 1e300, "", "<f8", "|S9", [], None, True])
    try:
        body["crc"] = _rest(io.BytesIO(broken), msgspec.convert(body, Seal), begin)
    except (ValueError, OverflowError):
        body["crc"] = 0
    made = msgspec.msgpack.encode(body)
    return bytes(broken[:begin]) + made + _TAIL.pack(len(made), zlib.crc32(made), _MAGIC)


# Reads mutated files in a process with limits; prints how many were refused and how many read, and the slowest (s).
READER = """
import random, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from tests.acquire_streams import is_counted
from tests.test_acquire_fuzz import mutated, resealed
from zeromag.acquire.replay import replay
from zeromag.acquire.recording import verify
from zeromag.errors import ZeromagError
whole, seed, times, change = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), globals()[sys.argv[4]]
content, chance, slowest = whole.read_bytes(), random.Random(seed), 0.0
path = whole.with_name("broken" + "".join(whole.suffixes))
refused = read = 0
for _ in range(times):
    path.write_bytes(change(chance, content))
    began = time.thread_time()
    try:
        verify(path)
        for block in replay(path, block=1000).blocks():
            pass
        read += 1
    except ZeromagError:
        refused += 1
    slowest = max(slowest, time.thread_time() - began)
print(refused, read, slowest)
"""


def read_mutated(path: Path, seed: int, times: int, change: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path), str(seed), str(times), change],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60 + times,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"
    refused, read, slowest = done.stdout.split()
    assert float(slowest) < 1.0  # s of its thread's own clock
    return int(refused), int(read)


def recording(folder: Path) -> Path:
    """A recording with all that one can have: mask, events, a gap."""
    blocks = list(Counter(300, gaps=[(100, 150)]).blocks())
    mask = np.zeros(blocks[1].data.shape, dtype=np.bool_)
    mask[3, 2] = True
    blocks[1] = blocks[1].with_data(blocks[1].data, mask=mask, events=(Event(12, "mark"),))
    return write_recording(folder / "a.zm.h5", Given(blocks)).path


def journal(folder: Path) -> Path:
    from tests.test_acquire_journal import write

    write(folder / "a.zmj", Counter(300))
    return folder / "a.zmj"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are set as on Linux")
@pytest.mark.parametrize(("make", "change"), [(journal, "mutated"), (recording, "mutated"), (recording, "resealed")])
@pytest.mark.parametrize("times", [100, pytest.param(50_000, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)])])
def test_mutated_files_crash_nothing(tmp_path: Path, make: Callable[[Path], Path], change: str, times: int) -> None:
    path, step = make(tmp_path), min(times, 5000)
    for seed in range(0, times, step):
        refused, read = read_mutated(path, seed, step, change)
        assert refused + read == step
        assert read < step  # it refuses, too


def test_a_mutated_journal_never_gives_a_wrong_sample(tmp_path: Path) -> None:
    from tests.test_acquire_journal import blocks_of
    from zeromag.errors import InputError

    content = journal(tmp_path).read_bytes()
    chance = random.Random(4)
    path = tmp_path / "broken.zmj"
    for _ in range(300):
        path.write_bytes(mutated(chance, content))
        try:
            assert is_counted(blocks_of(path))
        except InputError:
            continue


def test_a_header_of_zeros_is_refused() -> None:
    with pytest.raises(FrameError, match="begins with"):
        read_header(bytes(80))
