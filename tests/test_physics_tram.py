"""The tram line: a closed loop of current, its timetable, and what a room leaves of it."""

import magpylib
import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, with_references
from zeromag.physics.shielding import AK3B, LIGHT, NONE
from zeromag.physics.tram import END, RAILS, STOP, STREET, SUBSTATION, WIRE, Tram, loop_field
from zeromag.sensors import SensorArray

ARRAY = with_references(grid())


@pytest.mark.parametrize("place", [-300.0, 0.0, 120.0])
def test_the_loop_is_magpylibs(place):
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (40, 3))
    corners = [[x, -STREET, z] for x, z in ((SUBSTATION, RAILS), (SUBSTATION, WIRE), (place, WIRE), (place, RAILS))]
    theirs = magpylib.current.Polyline(current=300.0, vertices=[*corners, corners[0]]).getB(points)
    np.testing.assert_allclose(300 * loop_field(place, points), theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


def test_a_long_line_is_two_wires():
    """Two endless wires h apart, D away: µ0 I/2π · (1/D1 - 1/D2), each across its own distance."""
    far = loop_field(SUBSTATION + 1e6, np.zeros((1, 3)))[0]
    near = loop_field(SUBSTATION - 1e6, np.zeros((1, 3)))[0]
    wires = np.zeros(3)
    for height, sign in ((WIRE, 1.0), (RAILS, -1.0)):
        away = np.array([STREET, -height])  # from the wire to the array: y, z
        wires += sign * 2e-7 / (away @ away) * np.array([0.0, -away[1], away[0]])
    np.testing.assert_allclose(far - near, wires, rtol=1e-6, atol=1e-15)


def test_the_field_has_neither_divergence_nor_curl():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.01
    names = tuple(f"{k}{axis}" for k in range(8) for axis in "xyz")
    cube = SensorArray(names, np.repeat(corners, 3, axis=0), np.tile(np.eye(3), (8, 1)))
    seen = Tram(1e-9, NONE).start(cube, 1.0, (3,))(0, 100).reshape(100, 8, 3)
    slope = np.einsum("pi,tpj->tij", corners / (8 * 0.01**2), seen)
    scale = np.abs(slope).max()
    assert scale > 0
    assert np.abs(np.trace(slope, axis1=1, axis2=2)).max() < 1e-4 * scale
    assert np.abs(slope - slope.transpose(0, 2, 1)).max() < 1e-4 * scale


def test_it_brakes_stands_and_starts():
    tram = Tram(1e-9, NONE)
    time = np.arange(0, 150, 0.01)
    place, current = tram.place(time), tram.current(time)
    assert (place[0], place[-1]) == (-END, END)
    speed = np.diff(place[place < END]) / 0.01
    assert speed.min() > -1e-9
    assert speed.max() < 10 + 1e-6
    assert np.abs(np.diff(speed)).max() < 0.0101  # 1 m/s², never a jerk of speed
    standing = np.flatnonzero(speed < 1e-9)
    assert len(standing) * 0.01 == pytest.approx(20, abs=0.1)
    np.testing.assert_allclose(place[standing], STOP, atol=1e-6)
    assert current.max() == pytest.approx(1)
    assert current.min() == pytest.approx(-0.5)
    assert current[0] == current[-1] == 0
    assert np.abs(np.diff(current)).max() < 0.02
    starting = np.flatnonzero(current[: len(speed) - 1] > 0.99)
    assert np.all(np.diff(speed)[starting[:-200]] > 0)  # the large current is that of starting
    assert len(starting) * 0.01 == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize("room", [NONE, LIGHT, AK3B])
def test_a_room_holds_it_back_by_its_curve(room):
    seen = Tram(100e-9, room).start(ARRAY, 10.0, (1,))(0, 1550)[:, :36]
    assert np.sqrt(np.mean(seen**2, axis=1)).max() == pytest.approx(100e-9 / float(room.factor(0.1)), rel=1e-3)
    assert np.abs(seen[:50]).max() == 0


def test_it_comes_again_and_pieces_are_the_whole():
    field = Tram(1e-9, LIGHT).start(ARRAY, 20.0, (1,))
    whole = field(0, 6400)
    np.testing.assert_array_equal(np.concatenate([field(start, 64) for start in range(0, 6400, 64)]), whole)
    np.testing.assert_allclose(whole[100:3000], whole[3100:6000], atol=1e-18)


def test_a_scene_by_the_street_has_its_tram():
    source = simulation("sim:street?seconds=50&references=0")
    part = np.concatenate([chunk.interference["tram"] for chunk in source.chunks()])
    largest = np.sqrt(np.mean(part[:, :36] ** 2, axis=1)).max()
    assert 0.2 * 60e-9 / 10**1.5 < largest <= 60e-9 / 10**1.5 * 1.001
    with pytest.raises(InputError, match="tram_nT must be"):
        simulation("sim:adult?tram_nT=-1")
