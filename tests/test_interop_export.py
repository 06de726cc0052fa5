"""What is exported comes back: the same samples at the same indices, geometry, masks and marks; BIDS validates."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import edfio
import h5py
import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.commands import zeromag
from tests.interop_scene import BAD, GAP, MARK, RATE, SAMPLES, everything, joined
from zeromag.acquire.bad_spans import BadSpan, bad_spans
from zeromag.acquire.fif import to_raw, write_fif
from zeromag.acquire.mne_source import mne_source
from zeromag.acquire.recording import write_recording
from zeromag.acquire.replay import replay
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError, StorageError
from zeromag.export.bids import write_bids
from zeromag.export.edf import write_edf
from zeromag.export.table import write_csv


def assert_all_is_there(path: Path) -> None:
    """The recording at `path` is that of `everything`."""
    here, there = everything(), replay(path)
    index, data, mask = joined(here)
    index_back, data_back, mask_back = joined(there)
    assert_array_equal(index_back, index)  # 0 samples shifted
    assert_array_equal(data_back[~mask], data[~mask])  # 0 T
    assert_array_equal(mask_back, mask)
    old, new = here.sensors, there.sensors
    assert (new.names, new.kinds, new.coils) == (old.names, old.kinds, old.coils)
    assert new.status == old.status
    assert new.frame == old.frame
    assert_allclose(new.positions, old.positions, atol=1e-8)  # FIF keeps places as float32
    assert_allclose(new.axes, old.axes, atol=1e-7)
    marks = [event for block in there.blocks() for event in block.events if event.kind == "mark"]
    assert [(mark.sample, mark.samples, mark.why) for mark in marks] == [(MARK, 10, "cough")]
    gaps = [event for block in there.blocks() for event in block.events if event.kind == "gap"]
    assert [(gap.sample, gap.samples) for gap in gaps] == [(GAP[0], GAP[1] - GAP[0])]


def test_fif_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "all_meg.fif"
    write_fif(path, everything())
    assert_all_is_there(path)


def test_fif_of_a_fif_is_the_same_again(tmp_path: Path) -> None:
    write_fif(tmp_path / "one_meg.fif", everything())
    write_fif(tmp_path / "two_meg.fif", mne_source(tmp_path / "one_meg.fif"))
    assert_all_is_there(tmp_path / "two_meg.fif")


def test_a_raw_in_memory_keeps_the_mask_too(tmp_path: Path) -> None:
    source = everything()
    raw = to_raw(source.sensors, source.rate, source.blocks())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw.save(tmp_path / "memory_meg.fif", fmt="double", verbose="error")
    assert_all_is_there(tmp_path / "memory_meg.fif")


def test_the_command_makes_fif_of_our_own_recording(tmp_path: Path) -> None:
    write_recording(tmp_path / "scan.zm.h5", everything())
    done = zeromag(
        "export", str(tmp_path / "scan.zm.h5"), "--to", "fif", "--out", str(tmp_path / "new" / "scan_meg.fif")
    )
    assert done.returncode == 0, done.stderr
    assert_all_is_there(tmp_path / "new" / "scan_meg.fif")


def test_whole_counts_come_through_journal_hdf5_and_fif_to_the_bit(tmp_path: Path) -> None:
    """What a digitiser gave is kept as integers in journal and recording, as doubles in the FIF."""
    simulated = simulation("sim:adult?seconds=2&rows=3&columns=3")
    write_recording(tmp_path / "scan.zm.h5", simulated)
    with h5py.File(tmp_path / "scan.zm.h5") as file:
        assert file["raw/data"].dtype == np.int32
    write_fif(tmp_path / "scan_meg.fif", replay(tmp_path / "scan.zm.h5"))
    index, data, _ = joined(simulated)
    index_back, data_back, _ = joined(replay(tmp_path / "scan_meg.fif"))
    assert_array_equal(index_back, index)
    assert_array_equal(data_back, data)


def test_spans_of_a_mask() -> None:
    mask = np.zeros((10, 3), dtype=np.bool_)
    mask[2:5] = True
    mask[4:8, 1] = True
    mask[9, 0] = True
    whole = [BadSpan(2, 6, (1,)), BadSpan(2, 3, (0, 2)), BadSpan(9, 1, (0,))]
    for cut in range(1, 10):
        spans = bad_spans([(0, mask[:cut]), (cut, mask[cut:])])
        assert sorted(spans, key=str) == sorted(whole, key=str)
    everywhere = np.ones((4, 3), dtype=np.bool_)
    assert bad_spans([(5, everywhere), (20, everywhere)]) == [BadSpan(5, 4, ()), BadSpan(20, 4, ())]
    assert bad_spans([]) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A BIDS dataset of two subjects."""
    root = tmp_path / "tree"
    for subject in ("01", "02"):
        write_bids(root, everything(), subject=subject, line=50)
    return root


def test_bids_comes_back_through_mne_bids(tree: Path) -> None:
    import mne_bids

    path = mne_bids.BIDSPath(root=tree, subject="02", task="rest", datatype="meg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what mne-bids has to say of a heart: no head, no fiducials
        raw = mne_bids.read_raw_bids(path, verbose="ERROR")
    assert raw.info["bads"] == ["S3"]
    assert raw.get_channel_types()[:6] == ["mag", "mag", "mag", "mag", "ref_meg", "ecg"]
    notes = {
        (note["description"], round(note["onset"] * RATE), round(note["duration"] * RATE)) for note in raw.annotations
    }
    assert notes == {
        ("BAD_ACQ_SKIP", GAP[0], GAP[1] - GAP[0]), ("cough", MARK, 10), ("BAD_masked", BAD[0], BAD[1] - BAD[0]),
        ("trigger/1", 1000, 0), ("trigger/2", 2000, 0), ("trigger/3", 3000, 0),
    }  # fmt: skip
    index, data, mask = joined(everything())
    read = raw.get_data().T
    assert len(read) == SAMPLES
    assert_array_equal(read[index][~mask], data[~mask])
    assert_all_is_there(tree / "sub-01" / "meg" / "sub-01_task-rest_meg.fif")


def test_bids_says_what_it_is(tree: Path) -> None:
    meg = tree / "sub-01" / "meg"
    frame = json.loads((meg / "sub-01_coordsystem.json").read_text())
    assert frame["MEGCoordinateSystem"] == "Other"
    assert "patient's left" in frame["MEGCoordinateSystemDescription"]
    assert "ears" not in (meg / "sub-01_coordsystem.json").read_text()
    side = json.loads((meg / "sub-01_task-rest_meg.json").read_text())
    assert "Magnetocardiography" in side["TaskDescription"]
    assert side["PowerLineFrequency"] == 50
    assert side["RecordingType"] == "discontinuous"
    assert (side["MEGChannelCount"], side["MEGREFChannelCount"], side["ECGChannelCount"]) == (4, 1, 1)
    people = (tree / "participants.tsv").read_text().split()
    assert people == ["participant_id", "sub-01", "sub-02"]


def test_the_bids_validator_finds_no_error(tree: Path) -> None:
    validator = shutil.which("bids-validator-deno", path=Path(sys.executable).parent)
    if validator is None:
        pytest.skip("no bids-validator-deno: pip install bids-validator-deno")
    environment = os.environ | {"NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(
        [validator, "--format", "json", str(tree)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert done.returncode == 0
    assert issues  # it did look: there are always recommendations


def test_bids_keeps_the_columns_of_others(tmp_path: Path) -> None:
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-07\t44\n")
    write_bids(tmp_path, everything(), subject="08")
    assert (tmp_path / "participants.tsv").read_text() == "participant_id\tage\nsub-07\t44\nsub-08\tn/a\n"


def test_bids_refuses_names_and_doubles(tree: Path) -> None:
    with pytest.raises(InputError, match="letters and digits"):
        write_bids(tree, everything(), subject="Erika Mustermann")
    with pytest.raises(InputError, match="already"):
        write_bids(tree, everything(), subject="01")


def test_csv_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    write_csv(path, everything())
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    index, data, mask = joined(everything())
    assert header == ["sample", "time_s", *everything().sensors.names]
    assert [int(row[0]) for row in rows] == index.tolist()
    read = np.array([[float(cell or "nan") for cell in row[2:]] for row in rows])
    assert_array_equal(read[~mask], data[~mask])
    assert np.isnan(read[mask]).all()
    with path.with_suffix(".channels.csv").open(newline="") as file:
        channels = list(csv.DictReader(file))
    assert [float(row["z_m"] or "nan") for row in channels][3] == 0.0123456789
    assert (channels[2]["status"], channels[5]["unit"], channels[5]["x_m"]) == ("bad", "V", "")


@pytest.mark.parametrize(("suffix", "read", "bits"), [(".edf", edfio.read_edf, 16), (".bdf", edfio.read_bdf, 24)])
def test_edf_holds_the_averaged_beat(tmp_path: Path, suffix: str, read: object, bits: int) -> None:
    info = mne.create_info(["S1", "S2", "ECG"], 1000.0, ["mag", "mag", "ecg"])
    time = np.arange(801) / 1000 - 0.3
    beat = np.exp(-((time / 0.02) ** 2))
    evoked = mne.EvokedArray(
        np.stack([60e-12 * beat, -3e-12 * beat, 1e-3 * beat]), info, tmin=-0.3, comment="normal", nave=40
    )
    evoked.save(tmp_path / "average-ave.fif", verbose="error")
    path = tmp_path / f"beat{suffix}"
    write_edf(path, tmp_path)
    assert callable(read)
    edf = read(path)
    assert [signal.label for signal in edf.signals] == ["S1", "S2", "ECG"]
    assert [signal.physical_dimension for signal in edf.signals] == ["pT", "pT", "uV"]
    for signal, row, scale in zip(edf.signals, evoked.data, (1e12, 1e12, 1e6), strict=True):
        step = 2 * np.abs(row).max() * scale / 2**bits
        assert signal.sampling_frequency == pytest.approx(1000)
        assert_allclose(signal.data, row * scale, atol=step)
    assert [(mark.onset, mark.text) for mark in edf.annotations] == [(pytest.approx(0.3), "R")]


def test_edf_wants_a_results_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="zeromag map"):
        write_edf(tmp_path / "x.edf", tmp_path / "scan.fif")
    with pytest.raises(InputError, match="no average-ave"):
        write_edf(tmp_path / "x.edf", tmp_path)


@pytest.mark.parametrize("to", ["fif", "bids", "csv"])
def test_an_output_that_cannot_be_is_one_sentence(tmp_path: Path, to: str) -> None:
    (tmp_path / "file").write_text("in the way")
    done = zeromag("export", "sim:adult?seconds=1", "--to", to, "--out", str(tmp_path / "file" / "out"))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "cannot be written" in done.stderr


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageError, match="No space left"):
        write_csv(Path("/dev/full"), everything())
    assert tmp_path.exists()


def test_the_recording_is_not_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "scan_meg.fif"
    write_fif(path, everything())
    done = zeromag("export", str(path), "--to", "fif", "--out", str(path))
    assert done.returncode == 1
    assert "itself" in done.stderr
    assert_all_is_there(path)
