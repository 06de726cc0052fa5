"""A BIDS dataset with members that are broken in every way: each is said in a sentence, none stops the others."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import h5py
import mne
import numpy as np
import pytest

from zeromag.acquire.fif import write_fif
from zeromag.acquire.recording import write_recording
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.session import Session
from zeromag.session_file import read_session
from zeromag.study.run import study


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    root = tmp_path_factory.mktemp("bids")
    (root / "dataset_description.json").write_text("{")  # not even that is whole
    meg = {k: root / f"sub-{k:02}" / "meg" for k in range(1, 9)}
    for folder in meg.values():
        folder.mkdir(parents=True)
    path = {k: folder / f"sub-{k:02}_task-rest_meg.fif" for k, folder in meg.items()}
    write_fif(path[1], simulation("sim:adult?seconds=5&rows=4&columns=4&references=0"))
    path[2].write_bytes(path[1].read_bytes()[:200_000])  # cut off
    path[3].write_bytes(b"")
    path[4].mkdir()  # a folder by that name
    info = mne.create_info(["EEG 1", "EEG 2"], 250.0, "eeg")
    mne.io.RawArray(np.zeros((2, 500)), info, verbose="error").save(path[5], verbose="error")
    path[6].symlink_to(root / "nowhere.fif")
    other = meg[7] / "sub-07_task-rest_meg.zm.h5"
    write_recording(other, simulation("sim:adult?seconds=1&rows=4&columns=4&references=0"))
    with h5py.File(other, "r+") as file:
        for name in list(file.attrs):
            if "version" in name or "layout" in name or "format" in name:
                file.attrs[name] = 999 if np.issubdtype(type(file.attrs[name]), np.integer) else "zeromag 999"
    flat = simulation("sim:empty-room?seconds=3&rows=4&columns=4&references=0")
    write_fif(path[8], flat)
    out = root / "derivatives" / "zeromag"
    told = study(root, out, Session().changed(**{"map.pixels": 16}), jobs=1)
    assert {row["member"] for row in told.failed} == {row["member"] for row in told.rows if row.get("error")}
    page = (out / "study.html").read_text(encoding="utf-8")
    with (out / "study.csv").open(newline="") as file:
        found = {row["member"].split("/")[0]: row for row in csv.DictReader(file)}
    for row in found.values():
        assert row["member"] in page
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("member", ["sub-02", "sub-03", "sub-04", "sub-05", "sub-06", "sub-07"])
def test_what_is_broken_is_listed_with_its_sentence(rows: dict[str, dict[str, str]], member: str) -> None:
    row = rows[member]
    assert row["status"] == "failed"
    assert row["error"]
    assert "\n" not in row["error"]
    assert "Traceback" not in row["error"]
    assert "this is a fault of zeromag" not in row["error"]


@pytest.mark.nightly
def test_the_others_are_mapped(rows: dict[str, dict[str, str]]) -> None:
    assert rows["sub-01"]["status"] == "done"
    assert rows["sub-08"]["status"] == "done"  # nobody's heart, and it says so
    assert rows["sub-08"]["usable"] in {"no", "not yet"}
    assert rows["sub-08"]["heart_rate"] == ""


def test_another_versions_session_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "session.toml"
    file.write_text("[clean]\nsupression = 'joint'\n")
    with pytest.raises(InputError, match="suppression"):
        read_session(file)
    file.write_text("[from_the_future]\nkey = 1\n")
    with pytest.raises(InputError, match="from_the_future"):
        read_session(file)


@pytest.mark.nightly
def test_no_network_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Proxies that lead nowhere: whatever asked for a page would fail."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    write_fif(tmp_path / "in" / "a_meg.fif", simulation("sim:adult?seconds=2&rows=3&columns=3&references=0"))
    told = study(tmp_path / "in", tmp_path / "out", Session().changed(**{"map.pixels": 16}), jobs=1)
    assert [row["status"] for row in told.rows] == ["done"]
    assert os.environ["https_proxy"].endswith(":9")
