"""docs/simulation.md names every preset, key, room and sensor, with the defaults that hold."""

from dataclasses import fields
from pathlib import Path

import pytest

from zeromag.acquire.options import Options
from zeromag.acquire.simulate import PRESETS
from zeromag.physics.room import ROOMS
from zeromag.physics.sensor_models import SENSOR_MODELS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "simulation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", fields(Options), ids=lambda field: field.name)
def test_every_key_stands_with_its_default(field):
    default = field.default if field.default != "" else "–"
    rows = [row for row in PAGE.splitlines() if row.startswith(f"| `{field.name}` |")]
    assert len(rows) == 1
    assert rows[0].split("|")[2].strip() == str(default)


@pytest.mark.parametrize("name", [*PRESETS, *ROOMS, *SENSOR_MODELS])
def test_every_name_is_explained(name):
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("preset", PRESETS)
def test_every_scene_has_its_picture(preset):
    assert f"(images/sim-{preset}.png)" in PAGE
