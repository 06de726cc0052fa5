"""Parameters beyond the map at a peak: QT over the array, fragmentation, the ST segment, how the T map moves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.hearts import F64, TestHeart, planar
from zeromag.mapping.average import Average
from zeromag.mapping.channel_qt import ChannelQt, channel_qt, t_ends
from zeromag.mapping.current_class import current_class
from zeromag.mapping.fiducials import fiducials
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.poles import currents
from zeromag.mapping.t_motion import growth
from zeromag.mapping.unit import UNITS
from zeromag.mapping.wave_shape import qrs_fragmentation, st_fluctuation

TIME = np.arange(-300, 501) / 1000


def gauss(middle: float, width: float) -> F64:
    return np.exp(-0.5 * ((TIME - middle) / width) ** 2)


def averaged(wave: F64, noise: float = 1e-15) -> Average:
    n = wave.shape[1]
    return Average("normal", TIME, wave, np.full(n, noise), 60, planar(), np.ones(n, dtype=bool))


def test_the_end_of_each_channels_t_wave_is_where_its_tangent_ends() -> None:
    """The steepest tangent of a Gaussian meets zero two widths after its peak; the sign does not matter."""
    middles, width = np.array([0.26, 0.27, 0.29, 0.25]), 0.04
    waves = np.stack([sign * gauss(m, width) for m, sign in zip(middles, (1, -1, 1, -1), strict=True)], axis=1)
    ends = t_ends(TIME, waves, np.arange(waves.shape[1]), 0.267)
    smooth = 16e-3**2 / 6  # two moving averages of 16 ms widen a Gaussian by their variance
    assert ends == pytest.approx(middles + 2 * np.sqrt(width**2 + smooth), abs=1.5e-3)
    assert np.isnan(t_ends(TIME, waves, np.arange(waves.shape[1]), float("nan"))).all()


def test_spread_is_range_deviation_and_unlikeness_of_neighbours() -> None:
    beside = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=float)
    found = ChannelQt(np.arange(4), beside).spread(np.array([0.40, 0.42, 0.44, 0.46]))
    assert found["qt_dispersion"] == pytest.approx(0.06)
    assert found["qt_deviation"] == pytest.approx(np.std([0.40, 0.42, 0.44, 0.46], ddof=1))
    assert found["smoothness_index"] == pytest.approx(0.02 / np.sqrt(2))  # the ends differ by 20 ms, the others by 0
    rough = ChannelQt(np.arange(4), beside).spread(np.array([0.40, 0.46, 0.40, 0.46]))
    assert rough["qt_dispersion"] == found["qt_dispersion"]
    assert rough["smoothness_index"] > 4 * found["smoothness_index"]
    assert ChannelQt(np.arange(4), beside).spread(np.array([0.4, np.nan, np.nan, 0.4])) == {}


def test_qt_is_told_where_t_is_tall_and_the_same_for_one_source() -> None:
    heart = TestHeart()
    one_course = heart.beat(TIME, ((0.0, 0.012, 10.0, -8.0), (0.26, 0.04, 2.5, -2.2)))
    average = averaged(one_course @ heart.gains(planar()).T)
    marks = fiducials(average)
    told = channel_qt(average, marks)
    assert 6 <= len(told.columns) < 36  # those near the zero line are not told
    qt = Measures(average, Mapper()).channels_qt(average.wave)
    assert np.isfinite(qt).sum() == len(told.columns)
    assert np.nanstd(qt) < 1e-6
    assert np.nanmean(qt) == pytest.approx(marks.t_end - marks.qrs_onset, abs=2e-3)
    assert told.beside.sum(axis=1).max() <= 8
    late = average.wave.copy()
    late[:, told.columns[0]] = np.interp(TIME - 0.02, TIME, late[:, told.columns[0]])
    assert Measures(replace(average, wave=late), Mapper())(late, 0.9)["qt_dispersion"] == pytest.approx(0.02, abs=2e-3)


def test_three_spatial_components_are_no_fragmentation_and_more_are() -> None:
    random = np.random.default_rng(0)
    shapes = np.linalg.qr(random.normal(size=(36, 5)))[0]
    courses = np.linalg.qr(random.normal(size=(110, 5)))[0]
    sizes = np.array([10.0, 5.0, 3.0, 1.0, 0.5])
    assert qrs_fragmentation(courses[:, :3] * sizes[:3] @ shapes[:, :3].T) == pytest.approx(0.0, abs=1e-12)
    wanted = (sizes[3:] ** 2).sum() / (sizes**2).sum()
    assert qrs_fragmentation(courses * sizes @ shapes.T) == pytest.approx(wanted)
    assert qrs_fragmentation(shapes * sizes @ courses.T) == pytest.approx(wanted)  # more channels than samples
    assert np.isnan(qrs_fragmentation(np.ones((110, 3))))


def test_a_straight_st_segment_does_not_fluctuate() -> None:
    tilted = np.stack([2.0 + 3.0 * TIME, -1.0 - TIME], axis=1)
    assert st_fluctuation(TIME, tilted, 0.05, 1.0) == pytest.approx(0.0, abs=1e-12)
    wavy = tilted + 0.1 * np.sqrt(2) * np.sin(2 * np.pi * TIME / 0.02)[:, None]
    assert st_fluctuation(TIME, wavy, 0.05, 2.0) == pytest.approx(
        0.05, rel=0.06
    )  # a line through three waves takes a little
    assert np.isnan(st_fluctuation(TIME, wavy, 0.49, 1.0))


def test_growth_runs_from_a_third_to_the_peak_and_keeps_a_clean_wave() -> None:
    heart = TestHeart()
    average = averaged(heart.beat(TIME) @ heart.gains(planar()).T)
    marks = fiducials(average)
    grown = growth(TIME, average.wave, marks)
    assert grown is not None
    assert grown.time[-1] == pytest.approx(marks.t_peak)
    assert np.diff(grown.time) == pytest.approx(0.005)
    sizes = np.sqrt(np.mean(grown.readings**2, axis=1))
    assert sizes[0] / sizes[-1] == pytest.approx(1 / 3, abs=0.06)
    clean = np.stack([np.interp(grown.time, TIME, one) for one in average.wave.T], axis=1)
    assert np.abs(grown.readings - clean).max() < 0.01 * np.abs(clean).max()
    noisy = average.wave + np.random.default_rng(0).normal(scale=1e-13, size=average.wave.shape)
    smooth = growth(TIME, noisy, marks)
    assert smooth is not None
    assert (smooth.readings - grown.readings).std() < 0.6e-13
    assert growth(TIME, average.wave, replace(marks, t_peak=float("nan"))) is None


@pytest.mark.parametrize(("turn", "found"), [(-45.0, 0.0), (90.0, 2.0)])
def test_the_class_counts_direction_and_clusters(turn: float, found: float) -> None:
    sensors = planar()
    x, y = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    one = TestHeart((0.0, 0.0, -0.09)).gains(sensors) @ (1e-5 * np.array([x, y, 0.0]))
    operator = Mapper().operator(sensors, np.ones(36, dtype=bool), np.full(36, 1e-15))
    jx, jy = operator.currents(one[None, :])
    assert current_class(operator.grid.mask, jx[0], jy[0]) == found
    apart = [TestHeart((side, 0.0, -0.06)).gains(sensors) for side in (-0.06, 0.06)]
    two = sum(apart) @ (1e-5 * np.array([x, y, 0.0]))
    jx, jy = operator.currents(two[None, :])
    assert current_class(operator.grid.mask, jx[0], jy[0]) == found + 1.0


def test_the_longest_arrow_lies_between_pixels() -> None:
    """Moving the heart by fractions of a pixel moves no angle: no jump from pixel to pixel."""
    sensors = planar()
    operator = Mapper().operator(sensors, np.ones(36, dtype=bool), np.full(36, 1e-15))
    lengths, angles = [], []
    for shift in np.linspace(0, 0.004, 9):
        field = TestHeart((shift, 0.0, -0.10)).gains(sensors) @ np.array([1e-5, 0.0, 0.0])
        jx, jy = operator.currents(field[None, :])
        current = currents(operator.grid, jx[0], jy[0])
        lengths.append(current.strongest)
        angles.append(current.angle)
        assert current.vector == pytest.approx(
            (
                current.total * np.cos(np.radians(current.total_angle)),
                current.total * np.sin(np.radians(current.total_angle)),
            )
        )
    assert np.ptp(lengths) / np.mean(lengths) < 0.02
    assert np.abs(np.diff(angles)).max() < 0.2


def test_tbeg_tmax_points_along_what_grows() -> None:
    heart = TestHeart((0.0, 0.0, -0.09))
    moments = 1e-5 * (gauss(0.0, 0.012)[:, None] * [1.0, 0, 0] + 0.2 * gauss(0.26, 0.04)[:, None] * [0, -1.0, 0])
    average = averaged(moments @ heart.gains(planar()).T)
    found = Measures(average, Mapper())(average.wave, 0.9)
    assert found["tbeg_tmax_angle"] == pytest.approx(-90.0, abs=2.0)
    assert found["tbeg_tmax_vector"] == pytest.approx(0.2 * (1 - np.exp(-2.0)), rel=0.1)  # T begins two widths early
    assert found["total_current_turn_T"] == pytest.approx(0.0, abs=1.0)
    assert found["r_t_angle"] == pytest.approx(-90.0, abs=2.0)
    assert found["distance_change_T"] < 1e-3


def test_every_parameter_is_defined_once_in_the_docs() -> None:
    text = (Path(__file__).parents[1] / "docs" / "parameters.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    defined = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    for name in UNITS:
        plain = name if name in defined else name.removesuffix("_R").removesuffix("_T")
        assert defined.count(plain) == 1, name
    images = Path(__file__).parents[1] / "docs" / "images"
    for name in ("parameters.png", "parameter_shapes.png"):
        assert (images / name).stat().st_size > 10_000
