"""What cannot be measured is said, and what can be shown is shown: hard recordings through `zeromag map`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.hearts import F64, RATE, TestHeart, as_blocks, planar, regular
from zeromag.acquire.fif import to_raw
from zeromag.cli import main
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.gate import Gate, beside, troubled
from zeromag.mapping.notes import irregular, pauses, silence
from zeromag.offline import map_recording
from zeromag.output.summary import summary
from zeromag.scan.outcome import Outcome
from zeromag.sensors import SensorArray
from zeromag.session import Session


def recorded(folder: Path, field: F64, sensors: SensorArray | None = None, noise: float = 0.2e-12) -> str:
    """Write a field and its noise as FIF; return where."""
    sensors = sensors or planar()
    noisy = field + np.random.default_rng(0).normal(scale=noise, size=field.shape)
    raw = to_raw(sensors, RATE, as_blocks(noisy, sensors, 1000))
    raw.save(folder / "scan_meg.fif", fmt="double", verbose="error")
    return str(folder / "scan_meg.fif")


def written(folder: Path, source: str) -> dict[str, Any]:
    """Map by the command, and return `summary.json`."""
    assert main(["map", source, "--out", str(folder / "out")]) == 0
    for name in ("summary.json", "events.tsv", "report.html"):
        assert (folder / "out" / name).stat().st_size > 0
    return json.loads((folder / "out" / "summary.json").read_text())


def mapped(source: str) -> tuple[dict[str, Any], Outcome]:
    """Map as the command does, and return what `summary.json` is written from, and the maps: no report is drawn."""
    session = Session(source=source)
    outcome = map_recording(session)
    return summary(outcome, session), outcome


def has_map(folder: Path) -> bool:
    return (folder / "out" / "maps.h5").exists()


def test_ten_seconds_without_a_beat_are_said(tmp_path: Path) -> None:
    peaks = regular(26.0, 0.8)
    peaks = peaks[(peaks < 10.0) | (peaks > 21.0)]
    found = written(tmp_path, recorded(tmp_path, TestHeart().field(planar(), 26.0, peaks)))
    (note,) = found["notes"]
    assert note.startswith("no heartbeat for 1")
    assert "from 9 s" in note or "from 10 s" in note
    table = (tmp_path / "out" / "events.tsv").read_text().splitlines()
    pauses_told = [line.split("\t") for line in table if "pause" in line]
    assert len(pauses_told) == 1
    assert float(pauses_told[0][1]) == pytest.approx(peaks[peaks > 21][0] - peaks[peaks < 10][-1], abs=0.01)
    assert abs(sum(found["beats"].values()) - len(peaks)) <= 1
    assert has_map(tmp_path)


def test_an_irregular_rhythm_is_said_and_averaged(tmp_path: Path) -> None:
    peaks = 0.5 + np.cumsum(np.random.default_rng(3).uniform(0.55, 1.3, 30))
    peaks = peaks[peaks < 17.0]
    found, outcome = mapped(recorded(tmp_path, TestHeart().field(planar(), 25.0, peaks)))
    assert any("irregular" in note for note in found["notes"])
    assert not any("fibrillation" in note for note in found["notes"])  # a finding, never a diagnosis
    counted = sum(found["beats"].values()) + sum(found["beats_left_out"].values())
    assert abs(counted - len(peaks)) <= 1
    assert max(found["beats"].values()) >= 0.85 * len(peaks)
    assert outcome.maps["normal"].bz.any()
    assert found["parameters"]["qt"]["low"] is not None


def test_pacing_spikes_do_not_hide_or_double_a_beat(tmp_path: Path) -> None:
    peaks = regular(16.0, 0.85)
    field = TestHeart().field(planar(), 16.0, peaks)
    pacer = TestHeart((0.02, 0.06, -0.06)).gains(planar()) @ np.array([1.0, 1.0, 0.0])
    for peak in peaks:
        spike = round((peak - 0.045) * RATE)
        field[spike : spike + 2] += 5e-11 * pacer / np.abs(pacer).max()
    found, outcome = mapped(recorded(tmp_path, field))
    assert max(found["beats"].values()) >= len(peaks) - 2
    assert abs(sum(found["beats"].values()) + sum(found["beats_left_out"].values()) - len(peaks)) <= 1
    assert found["parameters"]["map_angle_T"]["value"] == pytest.approx(-131, abs=15)
    assert outcome.maps["normal"].bz.any()


def test_fewer_than_ten_beats_are_shown_and_called_too_few(tmp_path: Path) -> None:
    peaks = regular(6.0, 0.8)
    found, outcome = mapped(recorded(tmp_path, TestHeart().field(planar(), 6.0, peaks)))
    assert found["usable"]["answer"] == "not yet"
    assert any("beats of 10" in reason for reason in found["usable"]["reasons"])
    assert found["usable"]["seconds_needed"] > 0
    assert outcome.maps["normal"].bz.any()


def test_a_heart_beside_the_array_is_no_with_the_way_to_move(tmp_path: Path) -> None:
    peaks = regular(15.0, 0.8)
    found, outcome = mapped(recorded(tmp_path, TestHeart((0.095, 0.0, -0.10)).field(planar(), 15.0, peaks)))
    assert found["usable"]["answer"] == "no"
    assert found["usable"]["reasons"] == ["move the array 3 cm towards the patient's left: the heart lies beside it"]
    assert outcome.maps["normal"].bz.any()


def test_a_recording_without_places_has_beats_and_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sensors = planar()
    field = TestHeart().field(sensors, 20.0, regular(20.0, 0.8))
    nowhere = replace(
        sensors, positions=np.full_like(sensors.positions, np.nan), axes=np.full_like(sensors.axes, np.nan)
    )
    source = recorded(tmp_path, field, nowhere)
    assert main(["map", source, "--out", str(tmp_path / "out")]) == 1
    assert "says of no magnetometer where it is" in capsys.readouterr().err
    assert main(["beats", source]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 20


def test_three_sensors_give_beats_and_intervals_but_no_map(tmp_path: Path) -> None:
    sensors = planar().pick(np.array([7, 10, 25]))
    peaks = regular(15.0, 0.8)
    found = written(tmp_path, recorded(tmp_path, TestHeart().field(sensors, 15.0, peaks), sensors))
    assert found["usable"]["answer"] == "no"
    assert "there are 3" in found["usable"]["reasons"][0]
    assert "there are 3" in found["map"]
    assert found["parameters"]["qt"]["value"] == pytest.approx(0.40, abs=0.03)
    assert not has_map(tmp_path)


def test_an_empty_room_has_no_heartbeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = recorded(tmp_path, np.zeros((18000, 36)), noise=0.5e-12)
    found, _ = mapped(source)
    assert found["beats"] == {}
    assert found["usable"]["answer"] == "no"
    assert "no heartbeat" in found["usable"]["reasons"][0]
    assert main(["beats", source]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "no heartbeat found in 18 s" in said.err


def test_pauses_do_not_run_over_gaps() -> None:
    beats = [Beat(1000.0), Beat(2000.0), Beat(30000.0)]
    assert pauses(beats, 0, 31000, 1000.0) == [(2000, 28000)]
    assert pauses(beats, 0, 31000, 1000.0, [(8000, 15000)]) == []
    assert pauses(beats, 0, 31000, 1000.0, [(3000, 1000)]) == [(4000, 26000)]
    assert pauses([], 0, 15000, 1000.0) == [(0, 15000)]
    assert silence(9.9) == ""
    assert silence(12.0) == "no heartbeat for 12 s"


def test_a_steady_rhythm_with_early_beats_is_not_irregular() -> None:
    rr = [0.8, 0.82, 0.5, 1.1, 0.8, 0.79, 0.81, 0.8, 0.8, 0.81, 0.8]
    assert irregular([Beat(0.0, rr=one) for one in rr]) == ""
    drifting = np.linspace(1.0, 0.6, 40)
    assert irregular([Beat(0.0, rr=one) for one in drifting.tolist()]) == ""


def test_sensors_in_trouble_are_named() -> None:
    channels = {f"S{k:02d}": {"status": "jumping", "why": "9 steps of 25 pT"} for k in range(5)}
    channels["S09"] = {"status": "good"}
    said = troubled(channels)
    assert said[0] == "sensor S00 is jumping: 9 steps of 25 pT"
    assert said[-1] == "and 2 more sensors"
    assert len(said) == 4
    answer = Gate()([], [], {}, 25.0, channels=channels)
    assert answer["answer"] == "no"
    assert "sensor S00 is jumping: 9 steps of 25 pT" in answer["reasons"]


@pytest.mark.parametrize(
    ("x", "y", "towards"),
    [
        (0.10, 0.0, "the patient's left"),
        (-0.10, 0.0, "the patient's right"),
        (0.0, 0.10, "the head"),
        (0.0, -0.10, "the feet"),
        (0.11, 0.10, "the patient's left and the head"),
        (-0.10, -0.11, "the feet and the patient's right"),
        (0.02, 0.02, ""),
        (-0.03, -0.02, ""),
    ],
)
def test_the_way_to_a_heart_beside_the_array(x: float, y: float, towards: str) -> None:
    time = np.arange(-300, 501) / 1000
    heart, sensors = TestHeart((x, y, -0.10)), planar()
    wave = heart.beat(time) @ heart.gains(sensors).T
    average = Average("normal", time, wave, np.full(36, 1e-13), 60, sensors, np.ones(36, dtype=bool))
    assert (towards in beside(average)) if towards else beside(average) == ""


def test_a_heart_far_away_on_a_slant_is_not_taken_for_a_deep_one() -> None:
    """23 cm away: what the joint fit leaves has no side and is best fitted 18 cm deep; once this was called usable."""
    usable = map_recording(Session(source="sim:adult?seconds=12&seed=4&heart_rate=80&x=-160&y=160")).usable
    assert usable["answer"] == "no"
    assert "move the array until it lies over the heart" in usable["reasons"][0]


def test_a_field_that_no_dipole_explains_still_shows_its_side() -> None:
    """As the joint fit leaves it of a heart 15 cm away: strong at one edge, of no shape that a heart below makes."""
    sensors, time = planar(), np.arange(-300, 501) / 1000
    for axis, sign, towards in ((0, 1, "left"), (0, -1, "right"), (1, 1, "head"), (1, -1, "feet")):
        edge = sign * sensors.positions[:, axis] > 0.05
        reading = np.where(edge, 1e-11 * (-1.0) ** np.arange(36), 1e-13)
        wave = np.exp(-0.5 * (time / 0.012) ** 2)[:, None] * reading
        average = Average("normal", time, wave, np.full(36, 1e-13), 60, sensors, np.ones(36, dtype=bool))
        assert towards in beside(average)


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("millimetres", [110, 150, 200])
@pytest.mark.parametrize(
    ("x", "y", "towards"), [(1, 0, "left"), (-1, 0, "right"), (0, 1, "head"), (0, -1, "feet"), (-0.8, 0.8, "head")]
)
def test_no_heart_beside_the_array_is_sent_the_wrong_way(millimetres: int, x: float, y: float, towards: str) -> None:
    """Through the cleaning, which bends the field of what is not below the array."""
    place = f"x={x * millimetres:g}&y={y * millimetres:g}"
    reasons = map_recording(Session(source=f"sim:adult?seconds=12&seed=4&heart_rate=80&{place}")).usable["reasons"]
    said = " ".join(one for one in reasons if one.startswith("move the array"))
    assert said
    against = {"left": "right", "right": "left", "head": "feet", "feet": "head"}[towards]
    assert against not in said
