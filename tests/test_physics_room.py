"""Noise and interference: densities, amplitudes, and that every field is one a source outside can make."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import welch

from zeromag.physics.arrays import grid, with_references
from zeromag.physics.drift import Drift, Residual
from zeromag.physics.lift import Lift
from zeromag.physics.mains import Mains
from zeromag.physics.noise import GROUPS, NoiseStream, SensorNoise
from zeromag.physics.outside import GRADIENTS, outside_basis
from zeromag.physics.wander import wander
from zeromag.sensors import SensorArray

ARRAY = with_references(grid())


@pytest.mark.parametrize("noise", [SensorNoise(), SensorNoise(7e-15, 10.0, 1.5)])
def test_noise_has_the_density_of_its_formula(noise):
    stream = NoiseStream(noise, np.ones(48), 1000.0, 128, (1, 2))
    joined = np.concatenate([stream.chunk(k) for k in range(1500)])
    frequency, power = welch(joined, 1000, nperseg=8192, axis=0, detrend="constant")
    edges = np.geomspace(1, 200, 12)
    for low, high in pairwise(edges):
        band = (frequency >= low) & (frequency < high)
        wanted = np.mean(noise.density(frequency[band]) ** 2)
        assert np.sqrt(np.mean(power[band]) / wanted) == pytest.approx(1, abs=0.05)


def test_noise_is_stationary_across_its_windows():
    stream = NoiseStream(SensorNoise(1.0, 0.0), np.ones(400), 1000.0, 16, (4,))
    joined = np.concatenate([stream.chunk(k) for k in range(3 * GROUPS)])
    per_sample = joined.var(axis=1)  # 400 channels: 7 % standard error
    assert np.abs(per_sample[:200] / per_sample.mean() - 1).max() < 0.35
    assert joined.reshape(12, -1).var(axis=1) == pytest.approx(np.full(12, per_sample.mean()), rel=0.05)


def test_noise_channels_are_independent_and_scaled():
    scale = np.array([1.0, 2.0, 0.0, 1.0])
    stream = NoiseStream(SensorNoise(1.0, 0.0), scale, 1000.0, 128, (4,))
    joined = np.concatenate([stream.chunk(k) for k in range(200)])
    spread = joined.std(axis=0)
    assert spread[1] / spread[0] == pytest.approx(2, rel=0.05)
    assert spread[2] == 0
    assert abs(np.corrcoef(joined[:, 0], joined[:, 3])[0, 1]) < 0.03


@pytest.mark.parametrize("wrong", [{"white": -1.0}, {"corner": np.inf}, {"exponent": 9.0}])
def test_impossible_noise_is_refused(wrong):
    with pytest.raises(ValueError, match="noise needs"):
        SensorNoise(**wrong)


def test_gradients_have_neither_divergence_nor_curl():
    for gradient in GRADIENTS:
        assert np.trace(gradient) == 0
        np.testing.assert_array_equal(gradient, gradient.T)


def test_mains_has_the_amplitude_asked_for_and_its_harmonics():
    field = Mains(50.0, 20e-12, frequency_wander=0, amplitude_wander=0).start(ARRAY, 1000.0, (1,))
    line = field(0, 10_000)[:, :36]
    spectrum = np.abs(np.fft.rfft(line, axis=0)) / 5000
    assert np.sqrt(np.mean(spectrum[500] ** 2)) == pytest.approx(20e-12, rel=1e-9)
    for order in (3, 5, 7):
        assert np.sqrt(np.mean(spectrum[500 * order] ** 2)) == pytest.approx(20e-12 / order, rel=1e-9)
    rest = np.delete(spectrum, [500, 1500, 2500, 3500], axis=0)
    assert rest.max() < 1e-9 * spectrum.max()


def test_mains_wanders_about_its_frequency_without_a_jump():
    field = Mains(50.0, 20e-12, harmonics=()).start(ARRAY, 1000.0, (2,))
    line = np.concatenate([field(start, 1000) for start in range(0, 200_000, 1000)])[:, 0]
    turning = line * np.exp(-2j * np.pi * 50 * np.arange(len(line)) / 1000)
    phase = np.unwrap(np.angle(turning[: len(turning) // 100 * 100].reshape(-1, 100).mean(axis=1)))
    deviation = np.diff(phase) / (2 * np.pi * 0.1)
    assert 0.003 < deviation.std() < 0.05
    assert np.abs(np.diff(deviation)).max() < 0.005


def test_mains_above_half_the_rate_is_left_out():
    line = Mains(60.0).start(ARRAY, 100.0, (1,))(0, 100)
    assert np.abs(line).max() == 0


def test_drift_and_residual_are_uniform_fields_and_gradients():
    basis = outside_basis(ARRAY)
    for part in (Drift(), Residual()):
        seen = part.start(ARRAY, 1000.0, (1,))(0, 50_000)[::1000]
        left = seen.T - basis @ np.linalg.lstsq(basis, seen.T, rcond=None)[0]
        assert np.abs(left).max() < 1e-9 * np.abs(seen).max()


def test_drift_has_its_strength_and_no_steps():
    strengths = []
    for seed in range(12):
        field = Drift(40e-12, 0.0).start(grid(1, 1), 10.0, (seed,))
        slow = field(0, 100_000)[:, 0]
        strengths.append(slow.std())
        assert np.abs(np.diff(slow)).max() < 10e-12
    assert np.mean(strengths) == pytest.approx(40e-12, rel=0.1)


def test_lift_moves_once_and_stays():
    lift = Lift(150e-12, start_s=2.0, travel_s=3.0, period_s=60.0)
    seen = lift.start(ARRAY, 100.0, (1,))(0, 6200)
    heart = np.sqrt(np.mean(seen[:, :36] ** 2, axis=1))
    assert heart[:200].max() == 0
    assert heart.max() == pytest.approx(150e-12, rel=0.01)
    assert np.ptp(seen[510:3190], axis=0).max() == 0
    assert np.abs(seen[3510:6190]).max() < 1e-24
    assert np.abs(np.diff(seen, axis=0)).max() < 0.1 * np.abs(seen).max()


def test_lift_is_a_field_that_an_outside_source_can_make():
    """On a cube of triaxial sensors the field has no divergence and no curl, at any time."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.01
    names = tuple(f"{k}{axis}" for k in range(8) for axis in "xyz")
    cube = SensorArray(names, np.repeat(corners, 3, axis=0), np.tile(np.eye(3), (8, 1)))
    seen = Lift(start_s=0.0).start(cube, 10.0, (1,))(1, 58).reshape(58, 8, 3)
    slope = np.einsum("pi,tpj->tij", corners / (8 * 0.01**2), seen)
    scale = np.abs(slope).max()
    assert np.abs(np.trace(slope, axis1=1, axis2=2)).max() < 1e-4 * scale
    assert np.abs(slope - slope.transpose(0, 2, 1)).max() < 1e-4 * scale


def test_wander_integral_is_the_integral():
    slow = wander(1.0, 0.01, 0.5, quantities=2, random=np.random.default_rng(1))
    time = np.linspace(3, 4, 10_001)
    summed = (slow.at(time)[1:] + slow.at(time)[:-1]).sum(axis=0) / 2 * (time[1] - time[0])
    np.testing.assert_allclose(summed, slow.integral(time)[-1] - slow.integral(time)[0], atol=1e-8)


def test_a_lift_without_end_is_refused():
    with pytest.raises(ValueError, match="travel_s"):
        Lift(travel_s=100.0, period_s=20.0)
