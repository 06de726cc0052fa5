"""Shielding curves, rooms, and an array that moves."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import welch

from zeromag.physics.arrays import grid, with_references
from zeromag.physics.background import Background
from zeromag.physics.motion import Motion
from zeromag.physics.motor import Motor
from zeromag.physics.outside import outside_basis
from zeromag.physics.room import ROOMS
from zeromag.physics.shielding import AK3B, LIGHT, NONE


def test_ak3b_has_its_published_factors():
    """Science 8.17."""
    np.testing.assert_allclose(AK3B.factor(np.array([0.02, 0.1, 1.0, 100.0])), [35, 71, 561, 5e5], rtol=0.05)
    assert np.all(np.diff(AK3B.factor(np.geomspace(0.02, 100, 50))) > 0)


def test_light_room_has_its_published_decibels():
    np.testing.assert_allclose(20 * np.log10(LIGHT.factor(np.array([1.0, 50.0]))), [30, 50])


def test_no_room_shields_nothing():
    np.testing.assert_array_equal(NONE.factor(np.array([0.0, 1.0, 1e4])), 1)


def test_rooms_hold_back_what_their_curves_say():
    assert ROOMS["none"].mains_pT / ROOMS["ak3b"].mains_pT == pytest.approx(float(AK3B.factor(50.0)), rel=0.01)
    assert ROOMS["none"].lift_pT / ROOMS["light"].lift_pT == pytest.approx(float(LIGHT.factor(0.1)), rel=0.01)


@pytest.mark.parametrize("name", ["light", "ak3b", "cylinder", "none"])
def test_background_has_the_density_of_its_formula(name):
    background = ROOMS[name].background
    assert background is not None
    array = with_references(grid(2, 2))
    field = background.start(array, 1000.0, (3,))
    seen = np.concatenate([field(start, 128) for start in range(0, 128 * 2500, 128)])
    frequency, power = welch(seen, 1000, nperseg=32768, axis=0, detrend="constant")
    share = (outside_basis(array) * np.repeat([1.0, background.gradient], [3, 5])) ** 2
    relative = power / share.sum(axis=1)
    edges = np.geomspace(1, 200, 10)
    for low, high in pairwise(edges):
        band = (frequency >= low) & (frequency < high)
        each = relative[band].mean(axis=1) / background.density(frequency[band]) ** 2
        # eight independent fields; the lowest band holds few independent estimates
        assert np.sqrt(each.mean()) == pytest.approx(1, abs=0.05)


def test_cylinder_has_the_published_floor():
    """Science 8.18: 71 fT/√Hz between 10 and 200 Hz with sensors of 15."""
    background = ROOMS["cylinder"].background
    assert background is not None
    floor = np.median(np.hypot(background.density(np.arange(10.0, 200.0)), 15e-15))
    assert floor == pytest.approx(71e-15, rel=0.02)


def test_default_background_is_what_it_says():
    assert Background(wall=0).density(np.array([1.0]))[0] == pytest.approx(30e-12)


def test_a_motor_far_away_is_uniform_fields_and_gradients():
    """What they leave falls with the square of the distance: the next order is (array / distance)² of the field."""
    array = with_references(grid())
    basis = outside_basis(array)
    left = []
    for distance in (3.0, 30.0, 300.0):
        seen = Motor(10e-12, distance, 23.0).start(array, 1000.0, (4,))(0, 1000)
        assert np.sqrt(np.mean(seen[:, :36] ** 2)) == pytest.approx(10e-12 / np.sqrt(2), rel=1e-6)
        line = np.abs(np.fft.rfft(seen[:, 0]))
        assert np.delete(line, 23).max() < 1e-9 * line[23]
        rest = seen.T - basis @ np.linalg.lstsq(basis, seen.T, rcond=None)[0]
        left.append(np.linalg.norm(rest) / np.linalg.norm(seen))
    assert 1e-3 < left[0] < 0.1
    np.testing.assert_allclose([left[0] / left[1], left[1] / left[2]], 100, rtol=0.3)


def test_a_motor_keeps_its_phase_for_a_week():
    field = Motor(10e-12, 3.0, 23.0).start(grid(2, 2), 1000.0, (4,))
    week = 7 * 86_400 * 1000
    np.testing.assert_allclose(field(week, 1000), field(0, 1000), atol=1e-18)


def no_beats(*_):
    return []


def test_trembling_has_its_strength_and_its_resonances():
    room, heart = Motion(tremble=10e-6).start(1000.0, (1,), no_beats)
    way = np.concatenate([room(start, 128) for start in range(0, 128 * 800, 128)])
    assert way[:, :3].std() == pytest.approx(10e-6, rel=0.15)
    assert way[:, 3:].std() == pytest.approx(100e-6, rel=0.15)
    frequency, power = welch(way[:, 0], 1000, nperseg=4096)
    assert frequency[np.argmax(power)] == pytest.approx(6.5, abs=0.6)
    np.testing.assert_array_equal(heart(128 * 799, 128), way[-128:])


def test_breathing_is_slow_and_mostly_shared_with_the_heart():
    room, heart = Motion(breath=3e-3, with_chest=0.7).start(100.0, (1,), no_beats)
    way = room(0, 60_000)
    np.testing.assert_allclose(heart(0, 60_000), 0.3 * way)
    assert way[:, 2].std() == pytest.approx(3e-3 / np.sqrt(2), rel=0.1)
    spectrum = np.abs(np.fft.rfft(way[:, 2]))
    frequency = np.fft.rfftfreq(60_000, 0.01)
    inside = (frequency > 0.19) & (frequency < 0.31)
    assert (spectrum[inside] ** 2).sum() > 0.99 * (spectrum**2).sum()


def test_recoil_follows_each_beat_and_fades():
    def beats(first, stop):
        return [(p, "normal") for p in (1000, 1900) if first <= p < stop]

    room, _ = Motion(recoil=3e-4).start(1000.0, (1,), beats)
    way = np.concatenate([room(start, 100) for start in range(0, 3000, 100)])[:, 2]
    assert np.abs(way[:1100]).max() == 0
    assert np.argmax(np.abs(way[:1900])) == pytest.approx(1100 + 40, abs=8)
    assert np.abs(way[1850:1990]).max() < 0.01 * np.abs(way).max()
    assert np.abs(way[2000:2200]).max() == pytest.approx(np.abs(way[1100:1300]).max(), rel=0.01)


def test_impossible_motion_is_refused():
    with pytest.raises(ValueError, match="motion must be"):
        Motion(breath=1.0)
