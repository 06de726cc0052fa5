"""The dipole fit against the forward model, the Cramér–Rao bound and published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.arrays import UP, array, grid, triaxial
from tests.hearts import F64, TestHeart, planar
from zeromag.mapping.average import Average
from zeromag.mapping.dipole import DipoleFit, moving_dipole
from zeromag.mapping.dipole_kernel import half_space_gain
from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray


def seen(sensors: SensorArray, place: F64, moment: F64) -> F64:
    return lead_field(HalfSpace(), place[None, :], sensors.positions, sensors.axes)[:, 0] @ moment


def bound(sensors: SensorArray, place: F64, moment: F64, noise: float) -> F64:
    """Cramér–Rao covariance of the place by differences of the library's forward model (Mosher 1993)."""
    gain = lead_field(HalfSpace(), place[None, :], sensors.positions, sensors.axes)[:, 0, :2]
    slopes = []
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        slopes.append((seen(sensors, place + step, moment) - seen(sensors, place - step, moment)) / 2e-6)
    slope = np.stack(slopes, axis=1)
    slope -= gain @ np.linalg.lstsq(gain, slope, rcond=None)[0]
    return noise**2 * np.linalg.inv(slope.T @ slope)


def test_the_kernel_is_the_half_space() -> None:
    places, axes = triaxial(grid(3, 0.05))
    sensors = array(places, axes)
    place = np.array([0.012, -0.03, -0.07])
    out = np.empty((len(sensors), 2))
    half_space_gain(place, np.array(sensors.positions), np.array(sensors.axes), np.ones(len(sensors)), out)
    wanted = lead_field(HalfSpace(), place[None, :], sensors.positions, sensors.axes)[:, 0, :2]
    assert np.abs(out - wanted).max() < 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("three", [False, True])
def test_a_dipole_without_noise_is_found_exactly(three: bool) -> None:
    sensors = array(*triaxial(grid(4, 0.05))) if three else planar()
    fitter = DipoleFit().of(sensors, np.ones(len(sensors), dtype=bool), np.full(len(sensors), 1e-13))
    random = np.random.default_rng(0)
    for _ in range(20):
        place = np.array([*random.uniform(-0.05, 0.05, 2), -random.uniform(0.05, 0.14)])
        moment = np.array([*random.normal(scale=8e-6, size=2), 0.0])
        found = fitter(seen(sensors, place, moment))
        assert np.linalg.norm(np.array(found.position) - place) < 1e-6
        assert np.allclose(found.moment, moment, rtol=1e-4, atol=1e-10)
        assert found.goodness == pytest.approx(1.0, abs=1e-8)


def test_scatter_is_that_of_the_cramer_rao_bound() -> None:
    sensors, noise = planar(), 1e-12
    place, moment = np.array([0.013, -0.022, -0.10]), np.array([8e-6, -6e-6, 0.0])
    fitter = DipoleFit().of(sensors, np.ones(36, dtype=bool), np.full(36, noise))
    random, clean = np.random.default_rng(0), seen(sensors, place, moment)
    fits = [fitter(clean + random.normal(scale=noise, size=36)) for _ in range(600)]
    away = np.array([one.position for one in fits]) - place
    wanted = bound(sensors, place, moment, noise)
    assert away.std(axis=0) == pytest.approx(np.sqrt(np.diag(wanted)), rel=0.15)
    assert np.median([one.bound for one in fits]) == pytest.approx(np.sqrt(np.trace(wanted)), rel=0.05)
    # the ellipsoid of 95 % holds the place 95 % of the times
    distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(wanted), away)
    assert np.mean(distance < 7.815) == pytest.approx(0.95, abs=0.025)
    volume = 4 / 3 * np.pi * np.sqrt(7.815**3 * np.linalg.det(wanted))
    assert np.median([one.volume for one in fits]) == pytest.approx(volume, rel=0.15)
    assert np.mean([one.chi2 for one in fits]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("depth", "wanted"), [(0.08, 0.15e-3), (0.10, 0.28e-3), (0.12, 0.51e-3)])
def test_bound_of_the_clinical_grid(depth: float, wanted: float) -> None:
    """Science §6: 10 µA·m, 0.15 pT, one sample, 6×6/40 Bz."""
    sensors = planar()
    fitter = DipoleFit().of(sensors, np.ones(36, dtype=bool), np.full(36, 0.15e-12))
    found = fitter(seen(sensors, np.array([0.0, 0.0, -depth]), np.array([1e-5, 0.0, 0.0])))
    assert found.bound == pytest.approx(wanted, rel=0.05)


def test_a_phantom_with_errors_of_a_real_array() -> None:
    """Science §8.11: 1 % gain, 1 mm, 1° errors leave 3.3 mm at most."""
    ideal = array(grid(7, 0.033), np.tile(UP, (49, 1)))
    random = np.random.default_rng(1)
    misses = []
    for _ in range(30):
        axes = ideal.axes + np.radians(1.0) * random.normal(size=(49, 3))
        real = array(
            ideal.positions + random.normal(scale=1e-3, size=(49, 3)), axes / np.linalg.norm(axes, axis=1)[:, None]
        )
        place = np.array([*random.uniform(-0.03, 0.03, 2), -random.uniform(0.08, 0.10)])
        angle = random.uniform(0, 2 * np.pi)
        field = seen(real, place, 1e-5 * np.array([np.cos(angle), np.sin(angle), 0.0]))
        field *= 1 + 0.01 * random.normal(size=49)
        fitter = DipoleFit().of(ideal, np.ones(49, dtype=bool), np.full(49, 0.15e-12))
        misses.append(np.linalg.norm(np.array(fitter(field).position) - place))
    assert np.median(misses) <= 3.3e-3


def test_a_wrong_conductor_shows_in_chi_squared_and_volume() -> None:
    sensors = planar()
    ball = Sphere((0.0, 0.0, -0.16), 0.15)
    place = np.array([0.02, 0.0, -0.10])
    gains = lead_field(ball, place[None, :], sensors.positions, sensors.axes)[:, 0]
    field = gains @ np.array([1e-5, 0.0, 0.0])
    found = DipoleFit().of(sensors, np.ones(36, dtype=bool), np.full(36, 0.15e-12))(field)
    assert found.chi2 > 3  # although the goodness of fit is above 0.998
    assert found.goodness > 0.99
    assert np.linalg.norm(np.array(found.position) - place) > 15e-3  # science §6 has 23 mm
    assert found.volume > 4 / 3 * np.pi * 7.815**1.5 * (found.bound / np.sqrt(3)) ** 3


def test_a_moving_dipole_follows_the_heart_in_the_arrays_frame() -> None:
    heart, sensors = TestHeart(), planar()
    shifted = array(sensors.positions + np.array([0.1, 0.2, 0.3]), sensors.axes)
    time = np.arange(-100, 301) / 1000
    moments = heart.beat(time)
    wave = moments @ heart.gains(sensors).T
    average = Average("normal", time, wave, np.full(36, 1e-14), 50, shifted, np.ones(36, dtype=bool))
    found = moving_dipole(average, every=20)
    assert [one.time for one in found] == pytest.approx(time[::20].tolist())
    strong = [k for k in range(len(found)) if np.linalg.norm(moments[20 * k]) > 1e-6]
    assert len(strong) > 5
    for k in strong:
        assert np.linalg.norm(np.array(found[k].position) - heart.place) < 1e-4
        assert np.allclose(found[k].moment, moments[20 * k], atol=2e-8)


def test_too_few_channels() -> None:
    few = np.zeros(36, dtype=bool)
    few[:5] = True
    with pytest.raises(ValueError, match="there are 5"):
        DipoleFit().of(planar(), few, np.full(36, 1e-13))
