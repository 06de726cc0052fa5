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
from zeromag.acquire.mne_raw import read_raw
from zeromag.acquire.recording import write_recording
from zeromag.acquire.replay import opened
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
    "wfdb": "vcg/s0010_re.hea",
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
    for size in (37, 1000):
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
    """Return why a file or another source cannot be read; files by this process, which is faster."""
    there = Path(path)
    with pytest.raises(InputError) as caught:
        for _ in (opened(there) if there.is_file() else open_source(str(path))).blocks():
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
    sensors = open_source(str(path)).sensors
    assert "mag" in sensors.kinds
    assert not sensors.located().any()
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
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0")
    assert "save it as FIF" in refused(tmp_path / "a.mat")
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


# --- QuSpin ---------------------------------------------------------------------------------------------


def lvm(folder: Path, *, unit: str = "Tesla", comma: bool = False, drop: int | None = None, samples: int = 40) -> Path:
    """Write a recording as LabVIEW writes it for the Neuro-1: four axes, a digital and an analogue input."""
    names = ["X1", "Y1", "Z1", "Z2", "T1", "A1"]
    units = [unit] * 4 + ["V", "V"]
    lines = [
        "LabVIEW Measurement\t", "Writer_Version\t2", "Reader_Version\t2", "Separator\tTab",
        f"Decimal_Separator\t{',' if comma else '.'}", "Multi_Headings\tNo", "X_Columns\tOne", "Time_Pref\tRelative",
        "Date\t2024/09/11", "***End_of_Header***\t", "\t", "Channels\t6" + "\t" * 6,
        "Samples" + f"\t{samples}" * 6, "Y_Unit_Label\t" + "\t".join(units), "Delta_X" + "\t0.002667" * 6,
        "***End_of_Header***" + "\t" * 6, "X_Value\t" + "\t".join(names) + "\tComment",
    ]  # fmt: skip
    for t in range(samples):
        if drop is None or not drop <= t < drop + 5:
            row = [f"{t / 375:.6f}", *(f"{1000 * c + t}E-15" for c in range(4)), str(t % 2), "0.5"]
            lines.append("\t".join(row).replace(".", "," if comma else "."))
    path = folder / "rest_meg.lvm"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "rest_positions.tsv").write_text(
        "name\tPx\tPy\tPz\tOx\tOy\tOz\n"
        + "".join(f"{name}\t0.{c}\t0\t0\t0\t0\t2\n" for c, name in enumerate(names[:4]))
    )
    return path


@pytest.mark.parametrize("comma", [False, True])
def test_quspin_text_is_read(tmp_path: Path, *, comma: bool) -> None:
    source = open_source(str(lvm(tmp_path, comma=comma)), block=7)
    assert source.rate == 375.0
    assert source.sensors.kinds == ("mag", "mag", "mag", "mag", "stim", "misc")
    assert_array_equal(source.sensors.axes[2], [0, 0, 1])
    got = joined(list(source.blocks()))
    assert got.shape == (40, 6)
    assert_allclose(got[:, 1], (1000 + np.arange(40)) * 1e-15, rtol=1e-12)
    assert_array_equal(got[:, 4], np.arange(40) % 2)


def test_quspin_units_and_gaps(tmp_path: Path) -> None:
    got = list(open_source(str(lvm(tmp_path, unit="fT", drop=20)), block=10).blocks())
    assert_allclose(joined(got)[:2, 1], [1000e-30, 1001e-30])
    assert [(e.kind, e.sample, e.samples) for b in got for e in b.events if e.kind == "gap"] == [("gap", 20, 5)]


def test_quspin_refusals(tmp_path: Path) -> None:
    assert "T, nT, pT or fT" in refused(lvm(tmp_path, unit="gauss"))
    path = lvm(tmp_path)
    text = path.read_text()
    path.write_text(text[: text.rindex("E-15")])
    assert "was cut off" in refused(path)
    path.write_text(text.replace("0.5", "half"))
    assert "no number" in refused(path)
    path.write_text("LabVIEW Measurement\nnothing more\n")
    assert "no line of channel names" in refused(path)
    path.write_text(text)
    (tmp_path / "rest_positions.tsv").write_text("name\tPx\nX1\tno\n")
    assert "with numbers" in refused(path)
    (tmp_path / "rest_positions.tsv").unlink()
    assert "positions.tsv" in refused(path)


# --- UCL ------------------------------------------------------------------------------------------------


def test_fil_binary_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(0).normal(scale=1e3, size=(500, 4)).astype(">f4")
    (tmp_path / "rest_meg.bin").write_bytes(x.tobytes())
    rows = [("X1", "MEGMAG", "good"), ("Y1", "MEGMAG", "bad"), ("R1", "MEGREFMAG", "good"), ("T1", "TRIG", "good")]
    channels = "".join(f"{name}\t{kind}\t{'V' if kind == 'TRIG' else 'fT'}\t{good}\n" for name, kind, good in rows)
    (tmp_path / "rest_channels.tsv").write_text("name\ttype\tunits\tstatus\n" + channels)
    places = "".join(f"{name}\t{50 * k}\t100\t0\t0\t0\t1\n" for k, (name, _, _) in enumerate(rows[:3]))
    (tmp_path / "rest_positions.tsv").write_text("name\tPx\tPy\tPz\tOx\tOy\tOz\n" + places)  # mm, as UCL writes them
    (tmp_path / "rest_meg.json").write_text('{"SamplingFrequency": 500, "PowerLineFrequency": 50}')
    source = open_source(str(tmp_path / "rest_meg.bin"))
    assert source.sensors.kinds == ("mag", "mag", "ref", "stim")
    assert source.sensors.status == ("good", "bad", "good", "good")
    assert_allclose(source.sensors.positions[1], [0.05, 0.1, 0.0], atol=1e-9)
    got = joined(list(source.blocks()))
    assert got.shape == (500, 4)
    assert_allclose(got[:, :3], x[:, :3] * 1e-15, rtol=1e-7)
    assert capfd.readouterr() == ("", "")


# --- MNE Raw --------------------------------------------------------------------------------------------


def test_read_raw_is_lazy_and_exact(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.zm.h5", Counter(4000, gaps=[(1000, 1100)]))
    raw = read_raw(tmp_path / "a.zm.h5")
    assert not raw.preload
    assert (raw.n_times, raw.info["sfreq"]) == (4000, RATE)
    expected = np.zeros((4000, 6))
    for block in Counter(4000, gaps=[(1000, 1100)]).blocks():
        expected[block.first : block.stop] = block.data
    for start, stop in ((0, 4000), (990, 1010), (1050, 1060), (3999, 4000), (1095, 2345)):
        assert_array_equal(raw[:, start:stop][0], expected[start:stop].T)
    assert_array_equal(raw.get_data(picks=["S03", "S01"])[:, 5:7], expected[5:7, [3, 1]].T)
    assert [(a["description"], round(a["onset"] - raw.first_time, 6), a["duration"]) for a in raw.annotations] == [
        ("BAD_ACQ_SKIP", 1.0, 0.1)
    ]
    assert raw.get_channel_types() == ["mag"] * 6
    assert_allclose(raw.info["chs"][2]["loc"][:3], Counter(1).sensors.positions[2])
    assert_allclose(raw.copy().load_data().filter(1, 40, verbose="ERROR").get_data().shape, (6, 4000))
    assert_array_equal(raw.copy().pick(["S02"]).crop(2.0, 3.0).get_data(), expected[2000:3001, [2]].T)


def test_read_raw_reads_what_mne_cannot(tmp_path: Path, data: Path) -> None:
    raw = read_raw(lvm(tmp_path, drop=20))
    assert (raw.n_times, raw.info["sfreq"], raw.get_channel_types()[4]) == (40, 375.0, "stim")
    notes = [note["description"] for note in raw.annotations if not note["description"].startswith("trigger/")]
    assert notes == ["BAD_ACQ_SKIP"]
    assert read_raw(data / "opm_noise" / "20220623_095714.cMEG").n_times == 1200
    with pytest.raises(InputError, match="there is no file"):
        read_raw(tmp_path / "nosuch.zm.h5")
