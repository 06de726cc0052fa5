"""Fields of current and magnetic dipoles against closed forms, laws and other programs."""

import magpylib
import numpy as np
import pytest

from zeromag.physics.conductor import MU0_4PI
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.magnetic_dipole import magnetic_dipole


def b_of(moment, depth, points):
    sources = np.array([[0.0, 0.0, -depth]])
    return HalfSpace().field(sources, np.atleast_2d(points))[:, 0] @ np.asarray(moment)


@pytest.mark.parametrize("depth", [0.05, 0.1, 0.2])
def test_pole_height_and_distance_follow_the_closed_form(depth):
    """Science 8.1: max |Bz| = (2/3√3) µ0Q/(4πd²) at ± d/√2 across the dipole."""
    y = np.linspace(0, 0.3, 300_001)
    points = np.stack([0 * y, y, 0 * y], axis=1)
    bz = b_of([1e-6, 0, 0], depth, points)[:, 2]
    best = int(np.argmax(bz))
    assert bz[best] == pytest.approx(2 / (3 * np.sqrt(3)) * MU0_4PI * 1e-6 / depth**2, rel=1e-6)
    assert y[best] == pytest.approx(depth / np.sqrt(2), abs=1e-6)


def test_one_microampere_metre_at_ten_centimetres():
    assert b_of([1e-6, 0, 0], 0.1, [0.0, 0.1 / np.sqrt(2), 0.0])[0, 2] == pytest.approx(3.8490e-12, rel=1e-5)


def test_normal_component_is_that_of_infinite_medium():
    random = np.random.default_rng(0)
    points = random.uniform(-0.2, 0.2, (200, 3)) * [1, 1, 0.5] + [0, 0, 0.1]
    source = np.array([0.02, -0.03, -0.08])
    away = points - source
    moment = np.array([3e-6, -2e-6, 5e-6])
    infinite = MU0_4PI * np.cross(moment, away) / np.linalg.norm(away, axis=1, keepdims=True) ** 3
    half = HalfSpace().field(source[None], points)[:, 0] @ moment
    scale = np.abs(infinite[:, 2]).max()
    np.testing.assert_allclose(half[:, 2] / scale, infinite[:, 2] / scale, atol=1e-12)
    assert np.abs(half[:, :2] - infinite[:, :2]).max() > 0.1 * scale  # the others are not


def test_field_has_neither_divergence_nor_curl():
    step = 1e-4
    here = np.array([0.03, -0.02, 0.01])
    shifts = np.concatenate([np.eye(3) * step, -np.eye(3) * step, 2 * np.eye(3) * step, -2 * np.eye(3) * step])
    b = b_of([1e-6, 2e-6, 3e-6], 0.09, here + shifts)
    slope = (8 * (b[:3] - b[3:6]) - (b[6:9] - b[9:])) / (12 * step)  # slope[i, j] = dB_j / dx_i
    scale = np.abs(slope).max()
    assert abs(np.trace(slope)) < 1e-6 * scale
    assert np.abs(slope - slope.T).max() < 1e-6 * scale


def test_a_dipole_along_the_normal_is_silent():
    points = np.random.default_rng(1).uniform(0, 0.2, (50, 3))
    assert np.abs(b_of([0, 0, 1e-5], 0.1, points)).max() == 0


def test_magnetic_dipole_is_that_of_magpylib():
    random = np.random.default_rng(2)
    points = random.uniform(-1, 1, (100, 3))
    moment, place = np.array([0.3, -1.2, 2.0]), np.array([1.5, -2.0, 0.7])
    ours = magnetic_dipole(moment, place, points)
    theirs = magpylib.misc.Dipole(moment=moment, position=place).getB(points)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


def test_many_magnetic_dipoles_are_each_alone():
    random = np.random.default_rng(3)
    moments, places, points = random.normal(size=(4, 3)), random.normal(size=(4, 3)) + 5, random.normal(size=(6, 3))
    together = magnetic_dipole(moments, places, points)
    alone = [magnetic_dipole(m, p, points) for m, p in zip(moments, places, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-14)
