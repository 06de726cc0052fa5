"""Recordings: bit for bit what was journalled, readable lazily, checked block by block."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import RATE, Counter, Given, is_counted, joined
from zeromag.acquire.fif import write_fif
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.mne_raw import RawRecording, read_raw
from zeromag.acquire.recording import read_recording, recover, verify, write_recording
from zeromag.acquire.recording_source import contents
from zeromag.acquire.replay import replay
from zeromag.acquire.seal import read_seal
from zeromag.acquire.wire import encode_description
from zeromag.errors import InputError, StorageError
from zeromag.event import Event


@pytest.mark.parametrize("block", [1, 7, 10, 999, 100_000])
def test_every_block_size_reads_the_same(tmp_path: Path, block: int) -> None:
    path = tmp_path / "a.zm.h5"
    recovered = write_recording(path, Counter(7001, gaps=[(100, 150), (3333, 3370)]))
    assert (recovered.samples, recovered.gaps, recovered.status) == (7001 - 50 - 37, 2, "gaps 2")
    source = read_recording(path, block=block)
    assert (source.rate, source.samples) == (RATE, 7001)
    assert source.sensors.same_as(Counter(1).sensors)
    got = list(source.blocks())
    assert is_counted(got)
    assert max(len(b) for b in got) <= block
    assert len(joined(got)) == 7001 - 87
    events = [(e.kind, e.sample, e.samples) for b in got for e in b.events]
    assert events == [("gap", 100, 50), ("gap", 3333, 37)]


def test_counts_are_stored_as_counts(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.zm.h5", Counter(100))
    with h5py.File(tmp_path / "a.zm.h5") as file:
        assert file["raw/data"].dtype == np.int32
        assert_array_equal(
            file["raw/data"][:] * file["raw/scale"][:] + file["raw/offset"][:], joined([*Counter(100).blocks()])
        )


def test_one_odd_sample_makes_it_float64_and_nothing_is_rounded(tmp_path: Path) -> None:
    blocks = list(Counter(1000).blocks())
    odd = blocks[50].data.copy()
    odd[3, 2], odd[4, 1] = 1.23456789e-12, np.nan
    blocks[50] = blocks[50].with_data(odd)
    write_recording(tmp_path / "a.zm.h5", Given(blocks))
    got = joined(list(read_recording(tmp_path / "a.zm.h5").blocks()))
    assert_array_equal(got.view(np.int64), joined(blocks).view(np.int64))


def test_mask_events_and_session_come_back(tmp_path: Path) -> None:
    blocks = list(Counter(100).blocks())
    mask = np.zeros(blocks[3].data.shape, dtype=np.bool_)
    mask[2:5, 1] = True
    mark = Event(35, "mark", 4, "S01", "patient moved, naïvely")
    blocks[3] = blocks[3].with_data(blocks[3].data, mask=mask, events=(mark,))
    write_recording(tmp_path / "a.zm.h5", Given(blocks), {"source": "given", "operator": None})
    got = list(read_recording(tmp_path / "a.zm.h5").blocks())
    assert_array_equal(np.concatenate([b.bad() for b in got]), np.concatenate([b.bad() for b in blocks]))
    assert [e for b in got for e in b.events] == [mark]
    assert contents(tmp_path / "a.zm.h5").session == {"source": "given", "operator": None}


def test_journal_recording_and_fif_agree_bit_for_bit(tmp_path: Path) -> None:
    source = Counter(4000, gaps=[(1000, 1234)])
    write_recording(tmp_path / "a.zm.h5", source)
    write_fif(tmp_path / "a.fif", read_recording(tmp_path / "a.zm.h5"))
    for block in (10, 333):
        got = list(replay(tmp_path / "a.fif", block=block).blocks())
        assert is_counted(got)
        assert len(joined(got)) == 4000 - 234
        assert [(e.sample, e.samples) for b in got for e in b.events] == [(1000, 234)]


def turned(path: Path, at: int) -> None:
    """Turn one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_verify_names_the_first_bad_block(tmp_path: Path) -> None:
    path = tmp_path / "a.zm.h5"
    write_recording(path, Counter(5000))
    assert verify(path) == []
    data = read_seal(path).data
    turned(path, data.offsets[1] + (1234 - data.rows) * 6 * 4 + 8)
    assert data.rows <= 1234 < 2 * data.rows
    assert verify(path) == ["block 123 (samples 1230 to 1239) is not what was recorded"]
    with pytest.raises(InputError, match="zeromag verify"):
        list(read_recording(path).blocks())
    with pytest.raises(InputError, match="zeromag verify"):
        RawRecording(path).get_data(start=1000, stop=1235)
    assert RawRecording(path).get_data(start=1240, stop=1300).shape == (6, 60)


def test_no_byte_of_a_recording_can_change_unnoticed(tmp_path: Path) -> None:
    blocks = list(Counter(40).blocks())
    mask = np.zeros(blocks[1].data.shape, dtype=np.bool_)
    mask[3, 2] = True
    blocks[1] = blocks[1].with_data(blocks[1].data, mask=mask, events=(Event(12, "mark"),))
    path = tmp_path / "a.zm.h5"
    write_recording(path, Given(blocks))
    whole = path.read_bytes()
    for at in [*range(0, len(whole), 97), *range(len(whole) - 300, len(whole))]:
        path.write_bytes(whole)
        turned(path, at)
        try:
            assert verify(path) != []
        except InputError:
            continue
    for size in range(len(whole) - 1, 0, -211):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"no whole recording|is cut off"):
            replay(path)


def test_what_another_program_wrote_to_is_read_by_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.zm.h5"
    blocks = list(Counter(300).blocks())
    mask = np.zeros(blocks[1].data.shape, dtype=np.bool_)
    mask[3, 2] = True
    blocks[1] = blocks[1].with_data(blocks[1].data, mask=mask, events=(Event(12, "mark"),))
    write_recording(path, Given(blocks), {"source": "given"})
    sealed = list(replay(path).blocks())
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "mine"
    assert verify(path) == ["its seal is gone: another program wrote to it, and nothing vouches for its samples"]
    before = set(psutil.Process().children())
    source = replay(path)
    assert len(set(psutil.Process().children()) - before) == 1
    assert source.session == {"source": "given"}
    for one, other in zip(source.blocks(), sealed, strict=True):
        assert one.data.tobytes() == other.data.tobytes()
        assert_array_equal(one.bad(), other.bad())
        assert one.events == other.events
    assert read_raw(path).get_data().shape == (6, 300)
    with pytest.raises(InputError, match="no whole recording"):
        read_recording(path)


def test_recover_twice_gives_the_same_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.zm.h5"
    write_recording(path, Counter(100))
    first = joined(list(read_recording(path).blocks()))
    write_recording(path, Counter(100))
    assert_array_equal(joined(list(read_recording(path).blocks())), first)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zm.h5"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(500)])
def test_what_is_no_recording_is_said_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zm.h5"
    path.write_bytes(content)
    for read in (replay, verify):
        with pytest.raises(InputError, match="no whole recording"):
            read(path)
    with pytest.raises(InputError, match="takes the journal"):
        recover(path, tmp_path / "b.zm.h5")


def test_a_place_that_takes_no_recording_is_said_in_one_sentence(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.zmj") as journal:
        journal(encode_description(Description(Counter(1).sensors, RATE), Stamp(1, 2, 0)))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written: "):
        recover(tmp_path / "a.zmj", tmp_path / "file" / "a.zm.h5")


def test_old_hdf5_tools_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zm.h5"
    write_recording(path, Counter(100))
    assert path.read_bytes()[8] in {0, 2}  # superblock of HDF5 1.8 to 1.10, not the 3 of SWMR or later
    dump = shutil.which("h5dump")
    if dump is None:
        pytest.skip("h5dump is not here: apt-get install hdf5-tools")
    out = subprocess.run([dump, "-d", "/raw/data", str(path)], capture_output=True, text=True, check=True).stdout
    assert "H5T_STD_I32LE" in out
    assert "(99,0): 594, 595" in out
