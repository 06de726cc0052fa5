"""Two scans through the command: one heart by two arrays, and a heart whose T wave turned and whose ST level moved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zeromag.cli import main

FIRST = "sim:adult?seconds=14"
ARRAY = "sim:adult?seconds=14&seed=2&rows=8&columns=8&pitch=30"  # denser, and not as wide
CHANGED = "sim:adult?seconds=14&seed=3&t_turn_deg=40&st_level=0.12"


def test_two_arrays_tell_the_same_heart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    assert main(["compare", FIRST, ARRAY, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "map angle at T" in said
    assert said.count("within what chance makes") == 3
    found = json.loads((tmp_path / "compare.json").read_text())
    assert min(found["correlation"][peak] for peak in "RT") > 0.99
    assert abs(found["changes"]["map_angle_T"]["difference"]["value"]) < 3  # degrees
    assert abs(found["changes"]["pole_distance_T"]["difference"]["value"]) < 0.005  # m
    assert [one["share_beyond_chance"] for one in found["maps"].values()] == [0.0, 0.0, 0.0]
    with Image.open(tmp_path / "compare.png") as picture:
        assert np.asarray(picture).std() > 10


def test_a_turned_t_wave_and_a_moved_st_segment_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", FIRST, CHANGED, "--out", str(tmp_path)]) == 0
    at_r, st, at_t, _, header, *table, _ = capsys.readouterr().out.splitlines()
    assert "within what chance makes" in at_r
    assert "more than chance over" in st
    assert "more than chance over" in at_t
    assert header.split()[:2] == ["parameter", "first"]
    (turned,) = (line for line in table if "map angle at T" in line)
    assert turned.startswith("* ")
    assert "<0.0001" in turned
    found = json.loads((tmp_path / "compare.json").read_text())
    assert found["changes"]["map_angle_T"]["significant"]
    assert abs(found["changes"]["map_angle_T"]["difference"]["value"]) == pytest.approx(40, abs=8)
    assert abs(found["changes"]["map_angle_R"]["difference"]["value"]) < 2
    moved = found["maps"]["ST"]
    # the level is shifted against R, which is 60 pT and out of the chest towards the head
    assert moved["difference_T"] * moved["y_m"] < 0
    assert abs(moved["difference_T"]) == pytest.approx(0.12 * 60e-12, rel=0.3)
    assert moved["share_beyond_chance"] > 0.5


def test_a_scan_without_a_heart_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "sim:empty-room?seconds=8", "sim:adult?seconds=8", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "sim:empty-room?seconds=8 has no normal heartbeat" in said
    assert "Traceback" not in said
