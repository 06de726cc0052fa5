"""Identifiers planted in a recording are in no output: not in files, not in their metadata, not on the terminal."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zlib
from pathlib import Path

import h5py
import mne
import pytest
from numpy.testing import assert_array_equal

from tests.commands import zeromag
from zeromag.acquire.fif import write_fif
from zeromag.acquire.recording import write_recording
from zeromag.acquire.replay import replay
from zeromag.acquire.simulate import simulation

HEADER = ("Mustermann", "Erika", "Gabler", "PAT-4711", "Dr. Kimble", "Zimmer 9", "Projekt Adler", "SN-0815")
WORDS = ("Hustenanfall",)  # of an annotation: somebody's free text
DAY = dt.date(1964, 8, 12)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heart whose FIF says everything about its patient."""
    path = tmp_path_factory.mktemp("planted") / "scan_meg.fif"
    write_fif(path, simulation("sim:adult?seconds=6"))
    raw = mne.io.read_raw(path, preload=True, verbose="error")
    raw.set_meas_date(dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC))
    raw.info["subject_info"] = {
        "his_id": "PAT-4711", "last_name": "Mustermann", "first_name": "Erika", "middle_name": "Gabler",
        "birthday": DAY,
    }  # fmt: skip
    raw.info["experimenter"] = "Dr. Kimble"
    raw.info["description"] += " Zimmer 9"
    raw.info["device_info"] = {"type": "OPM", "model": "x", "serial": "SN-0815", "site": "Zimmer 9"}
    with raw.info._unlock():
        raw.info["proj_name"] = "Projekt Adler"
    raw.set_annotations(mne.Annotations([2.0], [0.5], ["Hustenanfall"], orig_time=raw.info["meas_date"]))
    raw.save(path, fmt="double", overwrite=True, verbose="error")
    return path


def said_by(*arguments: str | Path) -> str:
    """Everything a command says; it must work."""
    done = zeromag(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def content(path: Path) -> bytes:
    """All bytes of a file and, in PDF and HDF5, those behind compression too."""
    everything = path.read_bytes()
    if path.suffix == ".pdf":
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", everything, re.DOTALL):
            everything += zlib.decompressobj().decompress(stream)
    if path.suffix == ".h5":
        pieces: list[bytes] = []
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda _, item: pieces.append(item[()].tobytes()) if isinstance(item, h5py.Dataset) else None
            )
        everything += b"".join(pieces)
    return everything


def found(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Which words stand where, in names and contents."""
    hits = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        whole = content(path) + str(path.relative_to(folder)).encode()
        hits += [
            f"{word} in {path.name}" for word in words for code in ("utf-8", "utf-16-le") if word.encode(code) in whole
        ]
    return hits


def test_the_search_finds_what_is_planted(planted: Path) -> None:
    assert len(found(planted.parent, HEADER + WORDS)) == len(HEADER + WORDS)


@pytest.mark.parametrize("name", ["scan_meg.fif", "scan.zm.h5"])
def test_anonymize_leaves_nothing_but_samples(planted: Path, tmp_path: Path, name: str) -> None:
    said = said_by("anonymize", planted, "--out", tmp_path / name)
    assert found(tmp_path, HEADER + WORDS) == []
    assert not any(word in said for word in HEADER + WORDS)
    before, after = replay(planted, block=1000), replay(tmp_path / name, block=1000)
    for old, new in zip(before.blocks(), after.blocks(), strict=True):
        assert_array_equal(new.data, old.data)
        assert new.first == old.first
        assert [(event.sample, event.kind) for event in new.events] == [
            (event.sample, event.kind) for event in old.events
        ]
    if name.endswith(".fif"):
        info = mne.io.read_info(tmp_path / name, verbose="error")
        assert info["subject_info"] is None
        assert info["meas_date"] is None
        assert info["experimenter"] is None


def test_a_status_and_a_frame_in_words_go_too(tmp_path: Path) -> None:
    source = simulation("sim:adult?seconds=1")
    raw = tmp_path / "in.fif"
    write_fif(raw, source)
    loud = mne.io.read_raw(raw, preload=True, verbose="error")
    loud.info["description"] = "zeromag: positions in the frame 'bed of Erika'"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loud.save(raw, fmt="double", overwrite=True, verbose="error")
    said_by("anonymize", raw, "--out", tmp_path / "out" / "x.zm.h5")
    assert found(tmp_path / "out", ("Erika",)) == []
    assert replay(tmp_path / "out" / "x.zm.h5").sensors.frame == "unnamed"


def test_no_output_of_map_and_export_names_the_patient(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "session.toml").write_text("[map]\npixels = 16\n")
    said = said_by("map", planted, "--out", tmp_path / "map", "--session", tmp_path / "session.toml")
    for to, out in (("fif", "e_meg.fif"), ("bids", "tree"), ("csv", "e.csv")):
        said += said_by("export", planted, "--to", to, "--out", tmp_path / out)
    write_recording(tmp_path / "own.zm.h5", replay(planted))
    assert found(tmp_path, HEADER) == []
    assert not any(word in said for word in HEADER)
    assert mne.io.read_info(tmp_path / "e_meg.fif", verbose="error")["subject_info"] is None


def test_the_recording_is_not_written_over_itself(planted: Path) -> None:
    before = planted.read_bytes()
    done = zeromag("anonymize", planted, "--out", planted)
    assert done.returncode == 1
    assert "itself" in done.stderr
    assert planted.read_bytes() == before
