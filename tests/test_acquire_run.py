"""Journals read many frames at once: the same frames, the same recording as one by one, whatever was damaged."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import RATE, array
from zeromag.acquire import journal_file
from zeromag.acquire.frame import BLOCK, Header
from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.recording import recover, verify
from zeromag.acquire.run import Run
from zeromag.acquire.wire import encode_block, encode_description, encode_end, samples_of
from zeromag.block import Block
from zeromag.event import Event

SENSORS = array()
DESCRIPTION = Description(SENSORS, RATE, {"source": "random"})


def frames(chance: random.Random, count: int, *, floats: bool) -> list[bytes]:
    """Return a stream of mostly like blocks with everything else in between: sizes, gaps, steps back, masks, events."""
    values = np.random.default_rng(chance.randrange(1 << 30))
    made, first = [encode_description(DESCRIPTION, Stamp(1, 2, 0))], 0
    for sequence in range(count):
        odd = chance.choice(["", "size", "gap", "back", "mask", "event", "described"]) if chance.random() < 0.04 else ""
        samples = chance.randint(1, 30) if odd == "size" else 10
        first += {"gap": chance.randint(1, 99), "back": -chance.randint(1, min(first, 45) or 1)}.get(odd, 0)
        first = max(first, 0)
        data = values.integers(-(2**20), 2**20, (samples, len(SENSORS))) * SENSORS.quantum
        if floats and chance.random() < 0.9:
            data = data * 1.1
        mask = values.random(data.shape) < 0.1 if odd == "mask" else None
        events = (Event(first, "mark", 1, why="here"),) if odd == "event" else ()
        block = Block(data, first, RATE, SENSORS, mask=mask, events=events, t_ns=chance.randrange(1 << 40))
        made.append(encode_block(block, Stamp(1, 2, sequence, chance.randrange(1 << 40))))
        if odd == "described":
            made.append(encode_description(DESCRIPTION, Stamp(1, 2, sequence + 1)))
        first += samples
    return [*made, encode_end(End(first, "done"), Stamp(1, 2, count))]


def damaged(chance: random.Random, whole: list[bytes]) -> bytes:
    """Return the stream with bits turned, bytes lost and its tail torn."""
    content = bytearray(b"".join(whole))
    begin = len(whole[0])
    for _ in range(chance.randint(0, 6)):
        content[chance.randrange(begin, len(content))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        at = chance.randrange(begin, len(content) - 50)
        del content[at : at + chance.randint(1, 40)]
    if chance.random() < 0.5:
        del content[chance.randrange(len(content) // 2, len(content)) :]
        content += bytes(chance.choice([0, 5, 5000]))
    return bytes(content)


@pytest.mark.parametrize("seed", range(24))
def test_many_at_once_is_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "a.zmj"
    path.write_bytes(damaged(chance, frames(chance, 400, floats=seed % 3 == 0)))
    single, many = JournalFile(path), JournalFile(path)
    each = list(single.frames())
    at = runs = 0
    for piece in many.pieces():
        if not isinstance(piece, Run):
            assert piece == each[at]
            at += 1
            continue
        runs += 1
        for k in range(len(piece.heads)):
            header, frame = each[at]
            part = piece.part(k, k + 1)
            names = ("sequence", "first", "t_ns", "wall_ns", "epoch", "stream")
            assert [int(part.heads[name][0]) for name in names] == [getattr(header, name) for name in names]
            assert header.kind == BLOCK
            assert_array_equal(part.data, samples_of(frame, header))
            assert part.crcs[0] == zlib.crc32(samples_of(frame, header).data)
            at += 1
    assert (at, many.damaged, many.torn) == (len(each), single.damaged, single.torn)
    assert 0 < runs < len(each) / 2
    fast = recover(path, tmp_path / "fast.zm.h5")
    monkeypatch.setattr(journal_file, "run_at", lambda *_: None)
    slow = recover(path, tmp_path / "slow.zm.h5")
    assert str(fast) == str(slow)
    assert (tmp_path / "fast.zm.h5").read_bytes() == (tmp_path / "slow.zm.h5").read_bytes()
    assert verify(tmp_path / "fast.zm.h5") == []


def test_a_bad_frame_in_a_run_is_the_only_one_lost(tmp_path: Path) -> None:
    chance = random.Random(0)
    whole = [frame for frame in frames(chance, 300, floats=False) if len(frame) == 80 + 10 * len(SENSORS) * 4]
    head = encode_description(DESCRIPTION, Stamp(1, 2, 0))
    for bad in (0, 1, len(whole) // 2, len(whole) - 1):
        for byte in (0, 4, 60, 70, 77, 79, 80, len(whole[0]) - 1):
            turned = bytearray(whole[bad])
            turned[byte] ^= 1
            path = tmp_path / "a.zmj"
            path.write_bytes(b"".join([head, *whole[:bad], turned, *whole[bad + 1 :]]))
            got = [sequence for piece in JournalFile(path).pieces() for sequence in _sequences(piece)]
            assert got == [header.sequence for header, _ in JournalFile(path).frames() if header.kind == BLOCK]
            assert len(got) == len(whole) - 1


def _sequences(piece: Run | tuple[Header, bytes]) -> list[int]:
    if isinstance(piece, Run):
        return [int(sequence) for sequence in piece.heads["sequence"]]
    return [piece[0].sequence] if piece[0].kind == BLOCK else []
