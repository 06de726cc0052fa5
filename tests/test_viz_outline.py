"""The edge of what a map shows, how faint the doubtful is, and which poles are marked."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.viz_scene import array, field_map, grid, pixels, pole_map, reds
from zeromag.mapping.field_map import Grid
from zeromag.mapping.map_grid import map_grid
from zeromag.viz.figures import map_axes, new_figure
from zeromag.viz.outline import outline
from zeromag.viz.palette import opacity
from zeromag.viz.places import edges
from zeromag.viz.pole_marks import clear_poles, pole_words


def area(line: np.ndarray) -> float:
    """Of a closed line, counter-clockwise positive: m²."""
    x, y = line.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


@pytest.fixture
def seen() -> Grid:
    places = array().positions[:, :2]
    return map_grid(places, places, 64)


def test_the_outline_holds_what_is_seen(seen):
    (line,) = outline(seen)
    right, left, foot, head = edges(seen)
    pixel = (left - right) * (head - foot) / seen.mask.size
    assert area(line) == pytest.approx(seen.mask.sum() * pixel, rel=0.01)
    assert line.min(axis=0) == pytest.approx([right, foot])
    assert line.max(axis=0) == pytest.approx([left, head])
    assert (line[0] == line[-1]).all()
    apart = np.hypot(*(line[:, None, :] - np.array([[left, head]])).T).min()
    assert apart > 0.25 * 0.04  # the corners, which no sensor sees, are outside


def test_the_outline_is_no_staircase(seen):
    """No two steps in a row turn by as much as those from pixel to pixel do, but at the corners of the grid."""
    (line,) = outline(seen)
    steps = np.diff(line, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-6]
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.abs(np.diff(angle)).max() < np.radians(44)


def test_a_hole_and_nothing_at_all():
    full = grid()
    mask = full.mask.copy()
    mask[20:34, 20:34] = False
    around, hole = sorted(outline(Grid(full.x, full.y, mask)), key=lambda line: -abs(area(line)))
    assert area(around) * area(hole) < 0  # so that either rule of filling leaves it out
    assert outline(Grid(full.x, full.y, np.zeros_like(mask))) == ()


def test_nothing_shows_where_the_array_does_not_see():
    """The red pole lies in the hole of a map, and the picture has no red."""
    full = grid()
    shown = reds(pixels(drawn(full))).sum()
    mask = full.mask & (pole_map(full) < 20e-12)
    assert shown > 1000
    assert reds(pixels(drawn(Grid(full.x, full.y, mask)))).sum() < 0.02 * shown


def drawn(of: Grid) -> bytes:
    figure, held = new_figure(4.0, 4.0), io.BytesIO()
    map_axes(figure.add_axes((0.1, 0.1, 0.8, 0.8)), field_map(of), 20, limit=50e-12)
    figure.savefig(held, format="png")
    return held.getvalue()


def test_the_doubtful_is_faint():
    deviation = np.array([0.0, 1e-12, 5e-12, 1e-9, np.nan])
    said = opacity(deviation, 10e-12, np.array([True] * 5)).tolist()
    assert said == [255, 217, 64, 64, 64]
    assert opacity(deviation, 10e-12, np.array([False] * 5)).tolist() == [0] * 5


def test_poles_are_marked_only_where_the_field_stands_out():
    of = grid()
    found = clear_poles(of, pole_map(of).astype(np.float32), 12e-12)
    assert found is not None
    assert pole_words(found) == "+ to − at −130°, 156 mm"
    assert clear_poles(of, pole_map(of), 60e-12) is None
    assert clear_poles(of, np.full(of.mask.shape, np.nan), 1e-12) is None
