"""Two scans through the command: the same heart by two arrays, and a heart that has turned its T wave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ARRAY = "sim:adult?seconds=25&seed=2&rows=8&columns=8&pitch=30&x=5"  # the same heart, 5 mm beside the other's middle


def compared(first: str, second: str, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zeromag", "compare", first, second, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_two_arrays_tell_the_same_heart(tmp_path: Path) -> None:
    from PIL import Image

    done = compared("sim:adult?seconds=25", ARRAY, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "map_angle_T" in done.stdout
    found = json.loads((tmp_path / "compare.json").read_text())
    assert min(found["correlation"].values()) > 0.99
    assert abs(found["changes"]["map_angle_T"]["difference"]["value"]) < 3  # degrees
    assert abs(found["changes"]["pole_distance_T"]["difference"]["value"]) < 0.005  # m
    with Image.open(tmp_path / "compare.png") as picture:
        assert np.asarray(picture).std() > 10


def test_a_turned_t_wave_is_told(tmp_path: Path) -> None:
    done = compared("sim:adult?seconds=25", "sim:adult?seconds=25&t_turn_deg=40", tmp_path)
    assert done.returncode == 0, done.stderr
    changes = json.loads((tmp_path / "compare.json").read_text())["changes"]
    assert changes["map_angle_T"]["significant"]
    assert abs(changes["map_angle_T"]["difference"]["value"]) == pytest.approx(40, abs=8)


def test_a_scan_without_a_heart_is_one_sentence(tmp_path: Path) -> None:
    done = compared("sim:empty-room?seconds=8", "sim:adult?seconds=8", tmp_path)
    assert done.returncode == 1
    assert "sim:empty-room?seconds=8 has no normal heartbeat" in done.stderr
    assert "Traceback" not in done.stderr
