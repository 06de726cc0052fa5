"""Files as sources: the same samples at any block size, and one clear sentence for what cannot be read."""

from __future__ import annotations

import warnings
from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from tests.acquire_streams import RATE, Counter, joined
from zeromag.acquire.fif import to_info, write_fif
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.recording import write_recording
from zeromag.acquire.source import Source, open_source
from zeromag.acquire.wfdb_record import quiet_wfdb
from zeromag.acquire.wire import encode_block, encode_description
from zeromag.errors import InputError, ZeromagError
from zeromag.sensors import SensorArray

SAMPLES = 2500


def sensors() -> SensorArray:
    """Four magnetometers, a reference, an ECG lead, a trigger line."""
    positions = np.full((7, 3), np.nan)
    positions[:5] = np.random.default_rng(3).normal(scale=0.1, size=(5, 3))
    axes = np.full((7, 3), np.nan)
    axes[:5] = np.eye(3)[[2, 2, 0, 1, 2]]
    return SensorArray(
        names=("A", "B", "C", "D", "R", "ECG", "STI"),
        positions=positions,
        axes=axes,
        kinds=("mag", "mag", "mag", "mag", "ref", "ecg", "stim"),
        status=("good", "bad", "good", "good", "good", "good", "good"),
        coils=(2000, 8001, 8002, 8101, 2000, 0, 0),
    )


def raw_of(data: NDArray[np.float64], array: SensorArray | None = None) -> mne.io.RawArray:
    return mne.io.RawArray(data.T, to_info(array or sensors(), RATE), verbose="ERROR")


def save(raw: mne.io.BaseRaw, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw.save(path, fmt="double", overwrite=True, verbose="ERROR")
    return path


@pytest.fixture
def samples() -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(scale=1e-12, size=(SAMPLES, 7))


# --- the contract of every source -----------------------------------------------------------------------


def journal_file(folder: Path) -> str:
    source = Counter(SAMPLES, gaps=[(500, 600)])
    with Journal(folder / "a.zmj") as journal:
        journal(encode_description(Description(source.sensors, RATE), Stamp(1, 2, 0)))
        for sequence, block in enumerate(source.blocks()):
            journal(encode_block(block, Stamp(1, 2, sequence)))
    return str(folder / "a.zmj")


def recording_file(folder: Path) -> str:
    write_recording(folder / "a.zm.h5", Counter(SAMPLES, gaps=[(500, 600)]))
    return str(folder / "a.zm.h5")


def fif_file(folder: Path) -> str:
    write_fif(folder / "a.fif", Counter(SAMPLES, gaps=[(500, 600)]))
    return str(folder / "a.fif")


MADE = {"journal": journal_file, "recording": recording_file, "fif": fif_file}
REAL = {
    "wfdb": "beats/102.hea",
    "vcg": "vcg/s0010_re.hea",
    "cmeg": "opm_noise/20220623_095714.cMEG",
}


@pytest.fixture(params=[*MADE, "sim", *REAL])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name: str = request.param
    if name in MADE:
        return MADE[name](tmp_path)
    if name == "sim":
        return "sim:adult?seconds=2"
    folder: Path = request.getfixturevalue("data")
    return str(folder / REAL[name])


def test_the_contract_of_every_source(spec: str) -> None:
    whole = open_source(spec, block=1_000_000)
    assert isinstance(whole, Source)
    expected = list(whole.blocks())
    for size in (7, 10, 1000):
        source = open_source(spec, block=size)
        assert source.sensors.same_as(whole.sensors)
        assert source.rate == whole.rate
        last = None
        count = 0
        for block in source.blocks():
            assert len(block) <= size
            assert block.sensors is source.sensors
            assert (block.rate, block.data.dtype) == (source.rate, np.float64)
            assert not block.data.flags.writeable
            assert block.data.flags.c_contiguous
            if last is not None and block.first != last.stop:
                assert block.first > last.stop
                assert [(e.sample, e.samples) for e in block.events if e.kind == "gap"] == [
                    (last.stop, block.first - last.stop)
                ]
            last = block
            count += len(block)
        again = list(open_source(spec, block=size).blocks())
        assert_array_equal(joined(again), joined(expected))
        assert count == len(joined(expected))


def test_closing_a_source_early_lets_its_file_go(tmp_path: Path) -> None:
    for make in MADE.values():
        blocks = open_source(make(tmp_path)).blocks()
        next(blocks)
        blocks.close()


# --- FIF ------------------------------------------------------------------------------------------------


def test_fif_round_trip_keeps_samples_and_array(tmp_path: Path, samples: NDArray[np.float64]) -> None:
    source = open_source(str(save(raw_of(samples), tmp_path / "a.fif")))
    got = source.sensors
    assert_array_equal(joined(list(source.blocks())), samples)
    assert (got.names, got.kinds, got.status) == (sensors().names, sensors().kinds, sensors().status)
    assert got.coils[:5] == sensors().coils[:5]
    assert_allclose(got.positions, sensors().positions, atol=1e-8)  # FIF keeps places in single precision
    assert_allclose(got.axes, sensors().axes, atol=1e-7)


def test_skipped_and_bad_stretches_are_understood(tmp_path: Path, samples: NDArray[np.float64]) -> None:
    raw = raw_of(samples)
    raw.set_annotations(
        mne.Annotations([0.3, 1.0, 2.0], [0.1, 0.05, 0.0], ["BAD_ACQ_SKIP", "BAD_cough", "patient spoke"])
    )
    source = open_source(str(save(raw, tmp_path / "a.fif")))
    got = list(source.blocks())
    assert_array_equal(joined(got), np.delete(samples, slice(300, 400), axis=0))
    bad = np.zeros((SAMPLES, 7), dtype=np.bool_)
    bad[1000:1050] = True
    assert_array_equal(np.concatenate([b.bad() for b in got]), np.delete(bad, slice(300, 400), axis=0))
    assert [(e.kind, e.sample, e.samples) for b in got for e in b.events] == [("gap", 300, 100), ("mark", 2000, 0)]


def test_annotations_count_from_the_first_sample_of_the_file(tmp_path: Path, samples: NDArray[np.float64]) -> None:
    raw = mne.io.RawArray(samples.T, to_info(sensors(), RATE), first_samp=12_345, verbose="ERROR")
    raw.set_meas_date(1_700_000_000)
    raw.set_annotations(mne.Annotations([0.3 + 12.345], [0.1], ["BAD_ACQ_SKIP"], orig_time=raw.info["meas_date"]))
    got = list(open_source(str(save(raw, tmp_path / "a.fif"))).blocks())
    assert [(e.sample, e.samples) for b in got for e in b.events] == [(300, 100)]


def refused(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        for _ in open_source(str(path)).blocks():
            pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 300
    return sentence


def test_a_missing_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "there is no file" in refused(tmp_path / "nosuch.fif")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"hello, this is text\n" * 100])
def test_a_text_file_named_fif(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.fif"
    path.write_bytes(content)
    assert "is no FIF file" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_fif(tmp_path: Path, samples: NDArray[np.float64], capfd: pytest.CaptureFixture[str]) -> None:
    whole = save(raw_of(samples), tmp_path / "a.fif").read_bytes()
    capfd.readouterr()
    for kept in [*range(40, len(whole), len(whole) // 40), len(whole) - 16, len(whole) - 1]:
        path = tmp_path / "cut.fif"
        path.write_bytes(whole[:kept])
        assert "was cut off" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_real_fif_of_another_maker_truncated(tmp_path: Path, data: Path) -> None:
    whole = (data / "meg_kit" / "test_bin_raw.fif").read_bytes()
    for kept in (5000, 100_000, 1_000_000, len(whole) - 1):
        path = tmp_path / "cut.fif"
        path.write_bytes(whole[:kept])
        assert "was cut off" in refused(path)


def test_fif_without_positions(tmp_path: Path, samples: NDArray[np.float64], capfd: pytest.CaptureFixture[str]) -> None:
    raw = raw_of(samples)
    for ch in raw.info["chs"]:
        ch["loc"][:] = 0.0
    path = save(raw, tmp_path / "a.fif")
    capfd.readouterr()
    assert "of no magnetometer where it is" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_positions_in_millimetres(tmp_path: Path, samples: NDArray[np.float64]) -> None:
    raw = raw_of(samples)
    for ch in raw.info["chs"]:
        ch["loc"][:3] *= 1000
    assert "millimetres" in refused(save(raw, tmp_path / "a.fif"))


def test_the_real_helmet_in_millimetres(tmp_path: Path, data: Path) -> None:
    info = mne.io.read_info(data / "opm_remnant" / "helmet_99channel_size-60.fif", verbose="ERROR")
    raw = mne.io.RawArray(np.zeros((len(info["chs"]), 10)), info, verbose="ERROR")
    assert "millimetres" in refused(save(raw, tmp_path / "a.fif"))


def test_gradiometers_only(data: Path) -> None:
    assert "157 gradiometers and no magnetometer" in refused(data / "meg_kit" / "test_bin_raw.fif")
    assert "157 gradiometers and no magnetometer" in refused(data / "meg_kit" / "test.sqd")


def test_no_magnetic_channel(tmp_path: Path) -> None:
    raw = mne.io.RawArray(np.zeros((2, 100)), mne.create_info(2, 100.0, "eeg"), verbose="ERROR")
    assert "no magnetometer and no ECG channel" in refused(save(raw, tmp_path / "a.fif"))


def test_a_file_of_no_known_kind(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    assert "of no kind zeromag reads" in refused(tmp_path / "a.docx")
    assert "of no kind zeromag reads" in refused(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    assert "begins with one of" in refused("serial:/dev/ttyUSB0")


# --- other files ----------------------------------------------------------------------------------------


def test_wfdb_against_its_own_reader(data: Path) -> None:
    path = data / "vcg" / "s0010_re.hea"
    source = open_source(str(path))
    record = quiet_wfdb().rdrecord(str(path.with_suffix("")))
    assert_array_equal(joined(list(source.blocks())), record.p_signal * 1e-3)
    assert (source.rate, source.sensors.names) == (1000.0, tuple(record.sig_name))
    assert set(source.sensors.kinds) == {"ecg"}
    assert not source.sensors.located().any()


def test_wfdb_without_its_signal(tmp_path: Path, data: Path) -> None:
    (tmp_path / "100.hea").write_bytes((data / "beats" / "100.hea").read_bytes())
    assert "cannot be read" in refused(tmp_path / "100.hea")


def test_cerca_gives_the_known_figures(data: Path) -> None:
    source = open_source(str(data / "opm_noise" / "20220623_095714.cMEG"))
    x = joined(list(source.blocks()))
    assert (x.shape, source.rate) == ((1200, 136), 1200.0)
    assert source.sensors.kinds[:8] == ("stim",) * 8
    mags = source.sensors.of_kind("mag")
    assert len(mags) == 128
    assert source.sensors.located()[mags].all()
    window = np.hanning(1201)[:-1]
    turn = window * np.exp(-2j * np.pi * 50 * np.arange(1200) / 1200)
    amplitude = np.abs(turn @ x[:, mags]) * 2 / window.sum()
    assert 1e15 * np.median(amplitude) == pytest.approx(2134, rel=0.001)
    axes = source.sensors.axes[mags]
    onto = axes @ np.linalg.pinv(axes)  # homogeneous field correction: the three columns of orientations out
    left = np.abs(turn @ (x[:, mags] - x[:, mags] @ onto)) * 2 / window.sum()
    assert 1e15 * np.median(left) == pytest.approx(400, rel=0.01)


def test_cerca_cut_off_or_without_places(tmp_path: Path, data: Path) -> None:
    content = (data / "opm_noise" / "20220623_095714.cMEG").read_bytes()
    path = tmp_path / "a.cMEG"
    path.write_bytes(content)
    assert "positions.tsv" in refused(path)
    path.write_bytes(content[:-1])
    assert "was cut off" in refused(path)
    path.write_bytes(b"text" * 100)
    assert "is no Cerca recording" in refused(path)
    path.write_bytes(b"")
    assert "is empty" in refused(path)


def test_every_refusal_is_a_zeromag_error() -> None:
    assert issubclass(InputError, ZeromagError)
