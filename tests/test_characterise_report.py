"""`zeromag bench array` as a user runs it: files, numbers, verdicts, bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.calibration import calibration_json, read_calibration
from zeromag.characterise.array_json import array_json, array_tree
from zeromag.characterise.calibration_found import calibration_found
from zeromag.characterise.characterisation import PARTS, characterise
from zeromag.characterise.findings import Characterisation
from zeromag.characterise.measured import Measured
from zeromag.characterise.record import Record, gather
from zeromag.characterise.shielding import shielding
from zeromag.characterise.spec import Limit, judge, read_spec
from zeromag.characterise.timing import timing
from zeromag.cli import main
from zeromag.errors import InputError
from zeromag.filters import Calibrate
from zeromag.physics.arrays import grid
from zeromag.physics.coils import Coils, calibration_coils
from zeromag.viz.array_report import figures, tables, write_array_report


@pytest.fixture(scope="module")
def found() -> Characterisation:
    source = simulation("sim:coils?seconds=30&rows=4&columns=5", block=3000)
    drives = next(part for part in source.room if isinstance(part, Coils)).drives
    return characterise(gather(source.blocks(), 30), drives=drives)


def test_everything_at_once_is_near_the_truth(found: Characterisation) -> None:
    truth = simulation("sim:coils?seconds=30&rows=4&columns=5").real_array()
    assert found.array["white"].value == pytest.approx(15.0, rel=0.03)
    assert found.array["corner"].value == pytest.approx(3.0, rel=0.15)
    assert found.array["crosstalk"].value == pytest.approx(2.0, abs=0.1)
    gain = [found.channels[name]["gain"].value for name in found.record.sensors.names]
    np.testing.assert_allclose(gain, truth.gain, rtol=0.008)
    assert set(found.why_not) == {"shielding", "timing"}
    assert found.cautions == []
    assert all(50 * n == pytest.approx(line, abs=0.3) for n, (line, _) in zip((1, 3, 5, 7), found.lines, strict=True))


def test_the_report_holds_every_figure(found: Characterisation, tmp_path: Path) -> None:
    tree = array_tree(found, "sim:coils", "0", judge(found, (Limit("channels", "white", most=15.0),)))
    back = json.loads(array_json(tree))
    assert back["array"]["white"]["unit"] == "fT/√Hz"
    assert back["array"]["white"]["low"] < back["array"]["white"]["value"] < back["array"]["white"]["high"]
    assert len(back["mixing"]) == 20
    write_array_report(tmp_path, found, back)
    page = (tmp_path / "array.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert page.count("<img") == len(figures(found)) >= 9
    assert "FAILED" in page
    assert (tmp_path / "array.pdf").read_bytes().startswith(b"%PDF")
    assert {table.title for table in tables(back)} >= {"The array", "Not measured", "Recording"}
    last = tables(back)[-1]
    assert last.columns[2] == "white fT/√Hz"
    assert last.rows[0][2].startswith(f"{back['channels'][last.rows[0][0]]['white']['value']:.1f}"[:4])
    assert " ± " in last.rows[0][2]


def test_a_calibration_comes_back_and_undoes_what_the_sensors_did(found: Characterisation, tmp_path: Path) -> None:
    written = calibration_found(found)
    assert written is not None
    path = tmp_path / "calibration.json"
    path.write_text(calibration_json(written), encoding="utf-8")
    read = read_calibration(path)
    assert read == written
    assert tuple(read) == found.record.sensors.names
    truth = simulation("sim:coils?seconds=30&rows=4&columns=5").real_array()
    field = np.random.default_rng(0).normal(size=(4, 20))
    assert np.abs(truth.read(field) - field).max() > 0.05
    correction = Calibrate(read).plan(found.record.sensors)(np.ones(20, dtype=np.bool_)).matrix(20)
    np.testing.assert_allclose(truth.read(field) @ correction.T, field, atol=0.02)


def test_a_specification_passes_and_fails(found: Characterisation, tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text("[array.white]\nmax = 20.0\n[array.crosstalk]\nmax = 1\n[channels.gain]\nmin = 0.5\n")
    verdicts = judge(found, read_spec(spec))
    assert [verdict.passed for verdict in verdicts] == [True, False] + [True] * 20
    assert verdicts[0].sure
    with pytest.raises(InputError, match="'white'"):
        judge(found, (Limit("array", "whit", most=1.0),))


def test_a_value_beside_its_limit_is_not_sure() -> None:
    limit = Limit("array", "white", most=15.0)
    assert limit.holds(Measured(14.0, 13.0, 16.0, "fT"))
    assert not limit.sure(Measured(14.0, 13.0, 16.0, "fT"))
    assert limit.sure(Measured(17.0, 16.0, 18.0, "fT"))
    assert not limit.sure(Measured(14.0, float("nan"), float("nan"), "fT"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "sets no limit"),
        ("[array", "not TOML"),
        ("[white]\nmax = 1", r"\[array.FIGURE\]"),
        ("[array.white]\nmost = 1", "min, max"),
        ("[array.white]\nmax = 'low'", "needs numbers"),
    ],
)
def test_a_bad_specification_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_spec(path)


def test_shielding_of_twenty_decibels() -> None:
    rng = np.random.default_rng(1)
    quiet = rng.normal(scale=1e-13, size=(30000, 9))
    loud = rng.normal(scale=1e-12, size=(30000, 9))
    arrivals = np.zeros((0, 2), dtype=np.int64)
    here, there = (Record(data, 500.0, grid(3, 3), 0, arrivals) for data in (quiet, loud))
    for figure in shielding(here, there).values():
        assert figure.value == pytest.approx(20.0, abs=1.0)
        assert figure.low < figure.value < figure.high
    with pytest.raises(ValueError, match="share no"):
        shielding(here, Record(loud[:, :2], 500.0, grid(6, 6).pick([30, 31]), 0, arrivals))


def test_a_clock_that_runs_fast_and_blocks_that_come_late() -> None:
    rng = np.random.default_rng(2)
    stop = np.arange(1, 2001) * 10
    arrived = stop / 1000.0 / (1 + 40e-6) + rng.exponential(0.5e-3, 2000)
    arrivals = np.stack([stop, np.rint(1e9 * arrived)], axis=1).astype(np.int64)
    found = timing(Record(np.zeros((20000, 1)), 1000.0, grid(1, 1), 0, arrivals))
    assert found is not None
    assert found.drift.low < 40 < found.drift.high
    assert found.late.value == pytest.approx(0.5 * np.log(100), rel=0.15)


def test_silence_and_a_short_record_say_why() -> None:
    arrivals = np.zeros((0, 2), dtype=np.int64)
    dead = characterise(Record(np.zeros((1000, 4)), 100.0, grid(2, 2), 0, arrivals))
    assert set(dead.why_not) == set(PARTS)
    short = characterise(Record(np.random.default_rng(0).normal(size=(40, 4)), 100.0, grid(2, 2), 0, arrivals))
    assert "too short" in short.why_not["noise"]
    json.loads(array_json(array_tree(short, "short", "0")))
    with pytest.raises(ValueError, match="one of"):
        characterise(short.record, parts=("nois",))


def test_coils_tell_nothing_of_sensors_without_a_place() -> None:
    lost = replace(grid(3, 3), positions=np.full((9, 3), np.nan))
    data = np.random.default_rng(0).normal(scale=1e-13, size=(15000, 9))
    held = Record(data, 500.0, lost, 0, np.zeros((0, 2), dtype=np.int64))
    seen = characterise(held, drives=calibration_coils(grid(3, 3), ("loop",)).drives)
    assert "six loops" in seen.why_not["coils"]
    assert "gain" not in seen.array


def test_the_real_second_is_characterised_by_the_command(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text("[array.density]\nmax = 5.0\n")
    source = str(data / "opm_noise" / "20220623_095714.cMEG")
    arguments = ["bench", "array", source, "--out", str(tmp_path / "r"), "--spec", str(spec), "--only", "noise,lines"]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "1 of 1 limits" in said
    assert "not measured" not in said  # of what was asked for
    tree = json.loads((tmp_path / "r" / "array.json").read_text(encoding="utf-8"))
    mains = min(tree["lines"], key=lambda line: abs(line["frequency_hz"] - 50))
    assert mains["amplitude"]["value"] == pytest.approx(2134, rel=0.03)
    assert 10 < tree["array"]["density"]["value"] < 30
    assert main(["bench", "array", source, "--out", str(tmp_path / "s"), "--only", "shielding"]) == 0
    assert "not measured: shielding (no second recording" in capsys.readouterr().err
    assert tree["passed"] is False
    assert any("rises faster" in caution for caution in tree["cautions"])  # windows of a quarter second tell no corner
    assert tree["array"]["exponent"]["value"] is None or tree["array"]["exponent"]["value"] < 3


def test_designs_are_a_table(tmp_path: Path) -> None:
    assert main(["bench", "design", "grid:3x3/40", "grid:6x6/40", "--out", str(tmp_path / "d")]) == 0
    head, small, large = (line.split("\t") for line in (tmp_path / "d" / "designs.tsv").read_text("utf-8").splitlines())
    assert dict(zip(head, small, strict=True))["patterns"] == "9"
    assert dict(zip(head, small, strict=True))["sss"] == "—"  # more unknowns than nine sensors
    tree = json.loads((tmp_path / "d" / "designs.json").read_text(encoding="utf-8"))
    assert dict(zip(head, large, strict=True))["hfc2"] == f"{tree[1]['hfc2']:.0%}"
    assert tree[1]["hfc2"] == pytest.approx(0.18, abs=0.03)  # published: a flat array keeps 18 % of the heart
    assert tree[1]["map_error"] < 0.008 < tree[0]["map_error"]
    assert (tmp_path / "d" / "designs.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("array", "sim:nobody"), "did you mean"),
        (("array", "sim:empty-room", "--only", "nois"), "--only takes"),
        (("array", "sim:empty-room", "--spec", "nowhere.toml"), "nowhere.toml"),
        (("array", "sim:empty-room", "--coils", "nowhere.tsv"), "nowhere.tsv"),
        (("design", "grid:6"), "grid:6x6/40"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "r")) if arguments[0] == "array" else ()
    assert main(["bench", *arguments, *out]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert len(said.strip().splitlines()) == 1


def test_a_heart_below_the_array_and_bad_channels_are_said() -> None:
    source = simulation("sim:adult?seconds=20&dead=S03&clipping=S05", block=2000)
    seen = characterise(gather(source.blocks(), 20), parts=("noise", "digitiser"))
    assert "empty room" in seen.cautions[0]
    status = dict(zip(seen.record.sensors.names, seen.record.status(), strict=True))
    assert {name: word for name, word in status.items() if word != "good"} == {
        "S03": "no signal",
        "S05": "at its limit",
    }
    assert "white" not in seen.channels.get("S03", {})


def test_a_shield_is_seen_against_another_recording(tmp_path: Path) -> None:
    room, street = "sim:empty-room?seconds=20&mains_pT=2", "sim:empty-room?seconds=20&mains_pT=200"
    out = tmp_path / "r"
    assert main(["bench", "array", room, "--against", street, "--only", "shielding,lines,room", "--out", str(out)]) == 0
    tree = json.loads((out / "array.json").read_text(encoding="utf-8"))
    assert tree["array"]["shielding 45-55 Hz"]["value"] == pytest.approx(40, abs=2)
    assert tree["array"]["shielding 10-40 Hz"]["value"] == pytest.approx(0, abs=1)
    assert tree["beside"]["against"]["Bz"]["value"] == pytest.approx(tree["array"]["Bz"]["value"], abs=1)  # one room
    assert "Beside: against" in (out / "array.html").read_text(encoding="utf-8")
