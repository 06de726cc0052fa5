"""Two arrays over one heart, and two hearts under one array."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.arrays import array
from tests.hearts import TestHeart, planar
from zeromag.mapping.average import Average
from zeromag.mapping.change import changes
from zeromag.mapping.compare import compare
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter
from zeromag.mapping.parts import Parts
from zeromag.mapping.poles import poles
from zeromag.mapping.unit import UNITS
from zeromag.sensors import SensorArray

TIME = np.arange(-300, 501) / 1000


def seen(sensors: SensorArray, heart: TestHeart, noise: float, seed: int) -> Average:
    wave = heart.beat(TIME) @ heart.gains(sensors).T
    n = len(sensors)
    wave = wave + np.random.default_rng(seed).normal(scale=noise, size=wave.shape)
    return Average("normal", TIME, wave, np.full(n, noise), 60, sensors, np.ones(n, dtype=bool))


def tilted(degrees: float, shift: float) -> SensorArray:
    flat, angle = planar(8, 0.03), np.radians(degrees)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    return array(flat.positions @ turn.T + np.array([shift, 0.0, 0.02]), flat.axes @ turn.T)


@pytest.mark.parametrize(("degrees", "shift"), [(0.0, 0.02), (10.0, 0.0), (10.0, 0.02)])
def test_two_arrays_give_one_map(degrees: float, shift: float) -> None:
    """Issue 6: 6×6/40 and 8×8/30, tilted and shifted, agree to 3° and 5 mm; correlation 0.99 (Numminen 1995)."""
    heart = TestHeart((0.0, 0.01, -0.09))
    noise = 0.03e-12  # 0.3 pT a sample, a hundred beats
    both = compare(seen(planar(), heart, noise, 0), seen(tilted(degrees, shift), heart, noise, 1))
    assert both.peaks == ("R", "ST", "T")
    for k in (0, 2):
        one, other = (poles(some.grid, some.bz[k]) for some in (both.first, both.second))
        assert abs((one.angle - other.angle + 180) % 360 - 180) < 3
        assert abs(one.distance - other.distance) < 5e-3
        assert both.correlation[k] > 0.99
    assert np.abs(both.z[0][both.first.grid.mask]).mean() < 2  # nothing that the deviations do not allow


def test_without_the_standard_plane_they_do_not_agree() -> None:
    heart = TestHeart((0.0, 0.01, -0.09))
    maps = [Mapper().map_average(seen(some, heart, 1e-13, 0)) for some in (planar(), tilted(10.0, 0.02))]
    found = [poles(some.grid, some.bz[int(np.argmin(np.abs(some.time)))]) for some in maps]
    assert np.hypot(found[0].plus[0] - found[1].plus[0], found[0].plus[1] - found[1].plus[1]) > 0.01


def test_a_heart_that_changed_is_seen() -> None:
    before, after = TestHeart((0.0, 0.0, -0.09)), TestHeart((0.015, 0.0, -0.09))
    both = compare(seen(planar(), before, 1e-13, 0), seen(planar(), after, 1e-13, 1))
    assert np.abs(both.z[0][both.first.grid.mask]).max() > 10
    assert both.difference.shape == both.first.bz.shape


def varied(seed: int, moved: float = 0.0) -> Average:
    """Sixteen beats whose strength varies by 5 %; `moved`: a field that the ST segment has more, of R's."""
    random, sensors, heart, noise = np.random.default_rng(seed), planar(), TestHeart((0.0, 0.0, -0.09)), 0.5e-12
    clean = heart.beat(TIME) @ heart.gains(sensors).T
    clean[(TIME > 0.06) & (TIME < 0.14)] += moved * clean[np.argmin(np.abs(TIME))]
    parts = clean * (1 + 0.05 * random.normal(size=(16, 1, 1))) + random.normal(scale=noise, size=(16, *clean.shape))
    wave, good = parts.mean(axis=0), np.ones(36, dtype=bool)
    known = Parts(tuple(parts), (np.ones(wave.shape, dtype=np.int64),) * 16, wave, np.ones(16))
    return Average("normal", TIME, wave, np.full(36, noise / 4), 16, sensors, good, known)


def test_what_beats_do_by_themselves_is_no_difference_and_a_moved_st_segment_is_one() -> None:
    """Beats that differ from each other make maps that differ by more than the sensors' noise."""
    mapper, called, bare = Mapper(pixels=16), 0, 0
    for seed in range(0, 24, 2):
        one, other = varied(seed), varied(seed + 1)
        both = compare(one, other, mapper=mapper)
        called += any(both.spot(k).share > 0 for k in range(3))
        both = compare(replace(one, parts=None), replace(other, parts=None), mapper=mapper)
        bare += any(both.spot(k).share > 0 for k in range(3))
    assert called == 0
    assert bare >= 2
    both = compare(varied(0), varied(1, moved=0.05), mapper=mapper)
    at = both.peaks.index("ST")
    spot = both.spot(at)
    assert spot.share > 0.3
    assert spot.difference == pytest.approx(0.05 * both.first.bz[0].flat[np.abs(both.z[at]).argmax()], rel=0.3)
    assert both.spot(0).share == 0.0


def test_changes_of_parameters_have_intervals() -> None:
    def angle(value: float, half: float) -> dict[str, Parameter]:
        return {"map_angle_T": Parameter(value=value, low=value - half, high=value + half, unit="deg")}

    (one,) = changes(angle(175.0, 3.0), angle(-175.0, 4.0)).values()
    assert one.difference == pytest.approx(10.0)
    assert (one.low, one.high) == (pytest.approx(5.0), pytest.approx(15.0))
    assert one.significant
    (same,) = changes(angle(0.0, 3.0), angle(4.0, 4.0)).values()
    assert not same.significant
    assert changes(angle(0.0, 1.0), {}) == {}


def test_what_chance_does_to_many_parameters_is_counted() -> None:
    """Holm's step-down by hand, and that of forty equal hearts hardly ever one parameter is called changed."""
    from scipy.stats import norm

    names = [name for name, unit in UNITS.items() if unit.period is None][:3]
    first = {name: Parameter(value=0.0, low=-1.0, high=1.0, unit="1") for name in names}
    second = {
        name: Parameter(value=value, low=value - 1.0, high=value + 1.0, unit="1")
        for name, value in zip(names, (1.5, 2.0, 0.1), strict=True)
    }
    one, two, three = changes(first, second).values()
    sd = np.sqrt(2) / 1.96
    assert one.p == pytest.approx(2 * norm.sf(1.5 / sd), rel=1e-6)
    assert two.p_holm == pytest.approx(3 * two.p)
    assert one.p_holm == pytest.approx(2 * one.p)
    assert three.p_holm == pytest.approx(three.p)
    assert (two.significant, one.significant) == (True, False)
    random, called = np.random.default_rng(0), 0
    for _ in range(200):
        drawn = random.normal(scale=1 / 1.96, size=(2, len(UNITS)))
        scans = [
            {
                name: Parameter(value=value, low=value - 1.0, high=value + 1.0, unit="1")
                for name, value in zip(UNITS, row.tolist(), strict=True)
            }
            for row in drawn
        ]
        called += any(change.significant for change in changes(*scans).values())
    assert called <= 20  # of 200: 5 % are 10


def test_a_reach_needs_a_plane() -> None:
    with pytest.raises(ValueError, match="reach"):
        Mapper(reach=0.1)
    average = seen(planar(), TestHeart(), 1e-13, 0)
    few = np.zeros(36, dtype=bool)
    few[:3] = True
    with pytest.raises(ValueError, match="there are 3"):
        compare(average, replace(average, good=few))
