"""The three lines from Python: light to import, and the same numbers as the command's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import zeromag
from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.api import Result
from zeromag.errors import InputError

SECONDS = 12


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated heart as FIF."""
    path = tmp_path_factory.mktemp("api") / "scan_meg.fif"
    write_fif(path, simulation(f"sim:adult?seconds={SECONDS}"))
    return path


@pytest.fixture(scope="module")
def raw(path: Path) -> mne.io.BaseRaw:
    return mne.io.read_raw(path, preload=True, verbose="error")


@pytest.fixture(scope="module")
def result(raw: mne.io.BaseRaw) -> Result:
    return zeromag.map(raw, pixels=24)


def test_importing_zeromag_imports_nothing_heavy() -> None:
    code = "import sys, zeromag; dir(zeromag); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "scipy", "numba", "mne", "h5py", "zmq", "PySide6", "matplotlib", "pandas"}
    assert heavy & set(done.stdout.split()) == set()


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="mpa"):
        zeromag.mpa  # noqa: B018


def test_a_raw_in_memory_gives_an_evoked_of_the_normal_beat(result: Result) -> None:
    evoked = result.average
    assert isinstance(evoked, mne.Evoked)
    assert evoked.nave == sum(beat.kind == "normal" and not beat.why for beat in result.outcome.beats)
    assert evoked.times[0] == pytest.approx(-0.3)
    assert 20e-12 < np.abs(evoked.copy().pick("mag").data).max() < 200e-12  # T, a heart
    assert set(result.averages) == set(result.maps) == {average.kind for average in result.outcome.averages}
    assert result.maps["normal"].bz.shape[1:] == (24, 24)


def test_parameters_are_a_table_with_units(result: Result) -> None:
    table = result.parameters
    assert list(table.columns) == ["value", "low", "high", "unit"]
    assert table.loc["qt", "unit"] == "s"
    assert table.loc["qt", "low"] <= table.loc["qt", "value"] <= table.loc["qt", "high"]
    assert len(table) == len(result.outcome.parameters)
    for parameter in result.outcome.parameters.values():  # plain numbers: they go over the wire as msgpack
        assert {type(parameter[key]) for key in ("value", "low", "high")} <= {float, type(None)}


def test_memory_and_file_give_the_same_bits(result: Result, path: Path) -> None:
    again = zeromag.map(path, pixels=24)
    assert_array_equal(again.average.data, result.average.data)
    assert_array_equal(again.maps["normal"].bz, result.maps["normal"].bz)


def test_save_writes_what_the_command_writes(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "result")
    assert {path.name for path in folder.iterdir()} >= {"summary.json", "average-ave.fif", "maps.h5", "report.html"}
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert told["parameters"].keys() == set(result.parameters.index)
    assert told["session"]["map"]["pixels"] == 24
    assert result.summary["beats"] == told["beats"]


def test_the_picture_shows_each_peak_and_the_beat(result: Result) -> None:
    words = [text.get_text() for text in result.plot().texts]
    assert any(word.startswith("R peak") for word in words)
    assert any(word.startswith("T peak") for word in words)
    assert "Research use. Not a medical device." in words
    assert "beats" in repr(result)


def test_without_a_beat_there_is_no_evoked_and_still_a_picture(raw: mne.io.BaseRaw) -> None:
    silent = raw.copy()
    silent.apply_function(lambda x: np.random.default_rng(0).normal(scale=1e-14, size=x.shape), picks="all")
    result = zeromag.map(silent)
    with pytest.raises(InputError, match="no averaged beat"):
        _ = result.average
    assert result.averages == {}
    assert result.plot().texts


@pytest.mark.parametrize(
    ("recording", "settings", "words"),
    [
        (3, {}, "a path, an mne.io.Raw or a source, got int"),
        ("nosuch.fif", {}, "nosuch.fif"),
        ("sim:adult", {}, "no end"),
        ("sim:adult?seconds=5", {"pixel": 3}, "no setting pixel"),
        ("sim:adult?seconds=5", {"line": 55}, "line"),
    ],
)
def test_wrong_input_is_one_sentence(recording: object, settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        zeromag.map(recording, **settings)
    assert "\n" not in str(caught.value)
