"""A calibration is read, refused when it is none, travels with a stream, and makes the map what it should be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import to_builtins

import zeromag
from tests.arrays import UP, grid
from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.calibration import Calibration, SensorCalibration, calibration_json, read_calibration
from zeromag.cli import main
from zeromag.errors import InputError
from zeromag.filters import Calibrate
from zeromag.scan.outcome import Outcome
from zeromag.sensors import SensorArray
from zeromag.session import Session
from zeromag.session_file import read_session

RATE = 1000.0
GOOD = {"gain": 1.1, "axis": [0.0, 0.0, 1.0], "position_m": [0.0, 0.0, 0.0]}


def three() -> SensorArray:
    return SensorArray(("A", "B", "C"), grid(2, 0.04)[:3], np.tile(UP, (3, 1)))


def as_they_are() -> Calibration:
    """A reads too much, is late and turned; B takes 3 % of A; C is not known."""
    tilted = (float(np.sin(0.1)), 0.0, float(np.cos(0.1)))
    return {
        "A": SensorCalibration(1.2, tilted, (0.001, -0.02, 0.0), time_constant_s=2e-3),
        "B": SensorCalibration(0.9, (0.0, 0.0, 1.0), (0.02, -0.02, 0.0), time_constant_s=1e-3, reads_of={"A": 0.03}),
    }


def through(stage: Calibrate, data: Any, sensors: SensorArray) -> Block:
    block = Block(np.asarray(data), 0, RATE, sensors)
    return stage.start(block)(block)


def test_gain_and_crosstalk_are_undone() -> None:
    field = np.array([3.0, -2.0, 5.0]) * 1e-12
    read = np.array([1.2 * field[0], 0.9 * field[1], field[2]])
    read[1] += 0.03 * read[0]
    out = through(Calibrate(as_they_are()), np.tile(read, (50, 1)), three())
    np.testing.assert_allclose(out.data, np.tile(field, (50, 1)), rtol=1e-12)


def test_the_output_knows_where_the_sensors_are() -> None:
    out = through(Calibrate(as_they_are()), np.zeros((2, 3)), three())
    assert out.sensors.positions[0].tolist() == [0.001, -0.02, 0.0]
    assert out.sensors.axes[0, 0] == pytest.approx(np.sin(0.1))
    assert out.sensors.positions[2].tolist() == three().positions[2].tolist()
    assert out.sensors.names == three().names


def test_channels_are_evened_out_to_the_median_response() -> None:
    """A sine that a first-order sensor made late and small comes out as one of the median sensor would."""
    time = np.arange(4000) / RATE
    frequency, common = 40.0, 1.5e-3

    def response(tau: float) -> complex:
        return 1 / (1 + 2j * RATE * tau * np.tan(np.pi * frequency / RATE))  # bilinear, as the simulated sensors

    def sine(factor: complex) -> Any:
        return np.real(factor * np.exp(2j * np.pi * frequency * time))

    calibration = {
        name: SensorCalibration(1.0, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), tau) for name, tau in (("A", 2e-3), ("B", 1e-3))
    }
    data = np.stack([sine(response(2e-3)), sine(response(1e-3)), sine(1.0)], axis=1)
    out = through(Calibrate(calibration), data, three()).data[1000:]
    wanted = sine(response(common))[1000:]
    np.testing.assert_allclose(out[:, 0], wanted, atol=1e-9)
    np.testing.assert_allclose(out[:, 1], wanted, atol=1e-9)
    np.testing.assert_array_equal(out[:, 2], data[1000:, 2])


def test_a_bad_channel_stays_bad_and_spoils_no_other() -> None:
    data = np.tile([1.2e-12, 0.9e-12, 1e-12], (40, 1))
    mask = np.zeros(data.shape, dtype=np.bool_)
    data[20:, 0], mask[20:, 0] = np.nan, True
    block = Block(data, 0, RATE, three(), mask)
    out = Calibrate(as_they_are()).start(block)(block)
    assert out.bad()[20:, 0].all()
    assert np.isfinite(out.data[:, 1:]).all()
    np.testing.assert_allclose(out.data[20:, 1], out.data[19, 1], rtol=1e-9)  # no step when the plan changes


def test_of_other_sensors_is_refused() -> None:
    with pytest.raises(ValueError, match="of other sensors"):
        Calibrate({"X": as_they_are()["A"]}).array(three())


def test_a_calibration_comes_back_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(calibration_json(as_they_are()), encoding="utf-8")
    assert read_calibration(path) == as_they_are()


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ("no", "cannot be read"),
        ("{}", "missing required field"),
        ({"format": "other", "sensors": {"A": GOOD}}, "no calibration that this zeromag reads"),
        ({"format": "zeromag calibration 1", "sensors": {"A": {}}}, "gain"),
        ({"format": "zeromag calibration 1", "sensors": {}}, "at least one sensor"),
        ({"format": "zeromag calibration 1", "sensors": {"A": GOOD | {"gain": 0}}}, "not 0"),
        ({"format": "zeromag calibration 1", "sensors": {"A": GOOD | {"axis": [0, 0, 2]}}}, "length 1, got 2"),
        ({"format": "zeromag calibration 1", "sensors": {"A": GOOD | {"reads_of": {"Z": 0.1}}}}, "reads of Z"),
    ],
)
def test_what_is_no_calibration_is_one_sentence(tmp_path: Path, tree: object, says: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    with pytest.raises(InputError, match=says):
        read_calibration(path)


def test_a_session_file_names_one(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(calibration_json(as_they_are()), encoding="utf-8")
    (tmp_path / "s.toml").write_text('calibration = "c.json"\n', encoding="utf-8")
    session = read_session(tmp_path / "s.toml")
    assert session.calibration == as_they_are()
    again = Session().changed(**json.loads(json.dumps(session.as_dict())))  # as it travels to other processes
    assert again == session


ERRORS = "rows=6&columns=6&seconds=15&gain_error=0.05&tilt_deg=3&mains_pT=0&drift_pT=0"


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A heart under sensors with wrong gains and tilts, its true calibration, and the same without errors."""
    folder = tmp_path_factory.mktemp("calibration")
    source = simulation(f"sim:adult?{ERRORS}", block=1000)
    truth = source.real_array()
    calibration = {
        name: SensorCalibration(
            float(truth.gain[c]), tuple(truth.sensors.axes[c].tolist()), tuple(truth.sensors.positions[c].tolist())
        )
        for c, name in enumerate(source.sensors.names)
        if source.sensors.kinds[c] in {"mag", "ref"}
    }
    (folder / "calibration.json").write_text(calibration_json(calibration), encoding="utf-8")
    write_fif(folder / "real.fif", source)
    perfect = simulation("sim:adult?" + ERRORS.replace("0.05", "0").replace("tilt_deg=3", "tilt_deg=0"), block=1000)
    write_fif(folder / "perfect.fif", perfect)
    return folder / "real.fif", folder / "perfect.fif", folder / "calibration.json"


def test_the_map_of_a_calibrated_array_is_that_of_a_perfect_one(scan: tuple[Path, Path, Path]) -> None:
    real, perfect, calibration = scan
    wanted, before = zeromag.map(perfect).outcome, zeromag.map(real).outcome
    after = zeromag.map(real, session=Session().changed(calibration=to_builtins(read_calibration(calibration)))).outcome
    assert after.chain_reason.startswith("calibrated 48 of")
    at_r = int(np.argmin(np.abs(wanted.maps["normal"].time)))

    def error(found: Outcome) -> float:
        known = wanted.maps["normal"].bz[at_r]
        return float(np.nanmax(np.abs(found.maps["normal"].bz[at_r] - known)) / np.nanmax(np.abs(known)))

    assert error(after) < 0.01
    assert error(before) > 0.03
    assert [step["stage"] for step in after.cleaning][:2] == ["MaskBad", "Calibrate"]
    assert after.cleaning[1]["heart_kept"] == 1.0


def test_a_recording_carries_its_calibration_and_stays_raw(scan: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, _, calibration = scan
    source = f"sim:adult?{ERRORS.replace('seconds=15', 'seconds=6')}"
    record = [sys.executable, "-m", "zeromag", "acquire", source, "--record", str(tmp_path / "raw")]
    subprocess.run([*record, "--calibration", str(calibration)], check=True, capture_output=True, timeout=120)
    recording = tmp_path / "raw" / "raw.zm.h5"
    assert main(["map", str(recording), "--out", str(tmp_path / "results")]) == 0
    summary = json.loads((tmp_path / "results" / "summary.json").read_text())
    assert "Calibrate" in [step["stage"] for step in summary["cleaning"]]
    assert summary["chain"].startswith("calibrated 48 of")
    assert set(summary["session"]["calibration"]) == set(read_calibration(calibration))
    raw = next(open_source(str(recording), block=1000).blocks())
    np.testing.assert_array_equal(raw.data, next(simulation(source, block=1000).blocks()).data)


def test_bench_array_shows_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coils = "sim:coils?seconds=24&rate=500&rows=4&columns=4"
    parts = ["--only", "coils,crosstalk,response"]
    assert main(["bench", "array", coils, "--out", str(tmp_path / "before"), *parts]) == 0
    calibration = tmp_path / "before" / "calibration.json"
    again = ["bench", "array", coils, "--calibration", str(calibration), "--out", str(tmp_path / "after"), *parts]
    assert main(again) == 0
    assert "before calibration:" in capsys.readouterr().out
    tree = json.loads((tmp_path / "after" / "array.json").read_text())
    before, after = tree["beside"]["before calibration"], tree["array"]
    assert after["crosstalk"]["value"] < before["crosstalk"]["value"] / 5
    assert after["gain_by_coils_spread"]["value"] < before["gain_by_coils_spread"]["value"] / 5
    assert after["delay_spread_40_Hz"]["value"] < before["delay_spread_40_Hz"]["value"] / 5
    assert after["turned"]["value"] < before["turned"]["value"] / 5
    assert "Beside: before calibration" in (tmp_path / "after" / "array.html").read_text(encoding="utf-8")
    assert not (tmp_path / "after" / "calibration.json").exists()


def test_a_calibration_of_another_array_is_one_sentence(
    scan: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "c.json"
    other.write_text(calibration_json({"X1": as_they_are()["A"]}), encoding="utf-8")
    assert main(["map", str(scan[0]), "--calibration", str(other), "--out", str(tmp_path / "no")]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "calibration is of other sensors (X1" in said
