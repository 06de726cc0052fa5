"""A disk that is full midway: one sentence about the file that was asked for, and nothing half there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from zeromag.acquire.fif import write_fif
from zeromag.acquire.h5_out import new_h5
from zeromag.acquire.recording import write_recording
from zeromag.acquire.simulate import simulation
from zeromag.acquire.simulation import Simulation
from zeromag.acquire.truth import write_truth
from zeromag.errors import StorageError
from zeromag.export.bids import write_bids
from zeromag.export.table import write_csv

resource = pytest.importorskip("resource", reason="a limit of a file's size stands for the full disk")
ROOM = 40_000  # bytes


@pytest.fixture
def full() -> Iterator[None]:
    """No file may grow beyond ROOM, as on a disk that fills while it is written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


WRITERS: dict[str, Callable[[Path, Simulation], object]] = {
    "x.zm.h5": write_recording,
    "x_meg.fif": write_fif,
    "x.csv": write_csv,
    "x.truth.h5": write_truth,
    "bids": lambda path, source: write_bids(path, source, subject="01"),
}


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("name", WRITERS)
def test_what_does_not_fit_is_said_in_a_sentence_and_not_left_there(name: str, tmp_path: Path) -> None:
    source = simulation("sim:adult?seconds=2&rows=3&columns=3&references=0")
    with pytest.raises(StorageError, match="cannot be written: File too large") as told:
        WRITERS[name](tmp_path / name, source)
    assert str(told.value).startswith(str(tmp_path / name))
    assert "\n" not in str(told.value)
    assert "/." not in str(told.value).removeprefix(str(tmp_path))  # no name of a file on the way
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("compression", ["gzip", None])
def test_an_hdf5_file_that_does_not_fit_is_an_error_and_not_the_end(compression: str | None, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(size=(64, 400))

    def written() -> None:
        with new_h5(tmp_path / "x.h5") as file:
            for name in "abc":
                file.create_dataset(name, data=noise, chunks=(64, 40), compression=compression)
            file.attrs["more"] = 1

    with pytest.raises(OSError, match="File too large"):
        written()
    assert not (tmp_path / "x.h5").exists()


def test_an_hdf5_file_that_fits_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(size=(64, 400))
    for name in ("one.h5", "other.h5"):
        with new_h5(tmp_path / name) as file:
            file.create_dataset("noise", data=noise, compression="gzip", shuffle=True)
            file.attrs["unit"] = "T"
    with h5py.File(tmp_path / "one.h5", "r") as file:
        np.testing.assert_array_equal(file["noise"][...], noise)
        assert file.attrs["unit"] == "T"
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()
