"""The magnetometer against its Bloch equation, published figures and its own step response."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from zeromag.physics.arrays import grid, with_references
from zeromag.physics.heart import SameniHeart
from zeromag.physics.opm import HERTZ_PER_TESLA, Opm
from zeromag.physics.rhythm import Rhythm
from zeromag.physics.sameni import FETAL
from zeromag.physics.sensor_errors import SensorErrors

OPM = Opm(spread=0.0)


def bloch_output(field):
    """Integrate dP/dt = γ P×B + R (x - P) to its steady state and return ΔB·(-P_y)."""
    gamma, relax = 2 * np.pi * HERTZ_PER_TESLA, 2 * np.pi * OPM.bandwidth

    def slope(_, p):
        return gamma * np.cross(p, field) + relax * (np.array([1.0, 0.0, 0.0]) - p)

    end = solve_ivp(slope, (0, 40 / relax), [1.0, 0.0, 0.0], rtol=1e-10, atol=1e-13, method="DOP853").y[:, -1]
    return -OPM.width * end[1]


@pytest.mark.parametrize("field", [[0, 0, 1e-10], [3e-9, -2e-9, 1e-9], [5e-9, 0, 5e-9], [-1e-9, 8e-9, -4e-9]])
def test_output_is_the_steady_state_of_the_bloch_equation(field):
    field = np.array(field, dtype=float)
    assert OPM.output(field) == pytest.approx(bloch_output(field), rel=1e-9, abs=1e-18)


def test_sensitivity_is_the_slope_of_the_output():
    random = np.random.default_rng(0)
    bias = random.normal(scale=3e-9, size=(50, 3))
    step = 1e-12
    slopes = [(OPM.output(bias + step * e) - OPM.output(bias - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(OPM.sensitivity(bias), np.stack(slopes, axis=1), atol=1e-6)


@pytest.mark.parametrize("bias", [[1e-9, 0, 0], [3e-9, -2e-9, 1e-9], [0, 4e-9, -3e-9]])
def test_cross_axis_projection_is_that_of_the_integrated_bloch_equation(bias):
    """The equation and its derivative by the field integrated together: the projection onto each axis to 1e-6."""
    gamma, relax = 2 * np.pi * HERTZ_PER_TESLA, 2 * np.pi * OPM.bandwidth
    field = np.array(bias, dtype=float)

    def slope(_, state):
        p, steps = state[:3], state[3:].reshape(3, 3)  # steps[k]: dP/dB_k, in units of 1/ΔB
        moved = gamma * np.cross(steps, field) - relax * steps + relax * np.cross(p, np.eye(3))
        return np.concatenate([gamma * np.cross(p, field) + relax * (np.eye(3)[0] - p), moved.ravel()])

    start = np.concatenate([[1.0, 0.0, 0.0], np.zeros(9)])
    end = solve_ivp(slope, (0, 40 / relax), start, rtol=1e-11, atol=1e-14, method="DOP853").y[:, -1]
    np.testing.assert_allclose(OPM.sensitivity(field), -end[3:].reshape(3, 3)[:, 1], atol=1e-7)


def test_gain_and_tilt_are_the_published_ones():
    """Science 2.1 and 8.5: gains 0.992, 0.982, 0.930, 0.819; 2.97° per nT; 5 nT across: 14.5°, gain 0.937."""
    bias = np.array([[0, 0, 1e-9], [0, 0, 1.5e-9], [0, 0, 3e-9], [0, 0, 5e-9]])
    np.testing.assert_allclose(OPM.sensitivity(bias)[:, 2], [0.992, 0.982, 0.930, 0.819], atol=5e-4)
    one, five = OPM.sensitivity(np.array([[1e-9, 0, 0], [5e-9, 0, 0]]))
    assert np.degrees(np.arctan2(np.hypot(one[0], one[1]), one[2])) == pytest.approx(2.97, abs=0.05)
    assert np.degrees(np.arctan2(np.hypot(five[0], five[1]), five[2])) == pytest.approx(14.5, abs=0.1)
    assert five[2] == pytest.approx(0.937, abs=1e-3)


def test_feedback_takes_the_bias_away():
    open_loop, closed = Opm(spread=0), Opm(spread=0, loop_gain=99.0)
    bias = np.array([[0, 0, 5e-9]])
    assert 1 - closed.sensitivity(bias)[0, 2] < 1e-3 * (1 - open_loop.sensitivity(bias)[0, 2])


def test_a_biased_array_reads_what_the_nonlinear_sensor_would():
    array = SensorErrors().draw(grid(4, 4), (1,))  # axes along z: pump, probe, sensitive are x, y, z
    random = np.random.default_rng(1)
    bias, small = random.normal(scale=2e-9, size=(16, 3)), random.normal(scale=1e-12, size=(16, 3))
    real = OPM.biased(array, bias)
    seen = real.read(((bias + small) * real.sensors.axes).sum(axis=1)[None])[0]
    np.testing.assert_allclose(seen, OPM.output(bias + small), atol=1e-15)
    linear = (small * real.sensors.axes).sum(axis=1) * real.gain
    np.testing.assert_allclose(linear, OPM.output(bias + small) - OPM.output(bias), atol=1e-15)


def test_bias_matters_alike_whichever_way_a_sensor_points():
    array = SensorErrors().draw(with_references(grid(1, 1)), (1,))
    axes = array.sensors.axes
    along = OPM.biased(array, 3e-9 * axes)
    np.testing.assert_allclose(along.gain, 0.930, atol=5e-4)
    np.testing.assert_allclose(along.sensors.axes, axes, atol=1e-12)
    across = OPM.biased(array, 1e-9 * np.roll(axes, 1, axis=1))
    np.testing.assert_allclose(np.degrees(np.arccos((across.sensors.axes * axes).sum(axis=1))), 2.97, atol=0.05)


def test_step_reaches_63_percent_after_the_time_constant():
    follow = OPM.follow(1, 100_000.0, (1,))
    follow(np.zeros((1, 1)))
    step = follow(np.ones((2000, 1)))[:, 0]
    assert np.argmax(step > 1 - np.exp(-1)) / 100_000 == pytest.approx(1.18e-3, abs=0.02e-3)


def test_response_is_first_order_in_the_hearts_band():
    frequency = np.array([10.0, 30.0, 100.0])
    time = np.arange(4000) / 1000
    waves = np.sin(2 * np.pi * time[:, None] * frequency)
    seen = OPM.follow(3, 1000.0, (1,))(waves)[2000:]
    turning = np.exp(-2j * np.pi * time[2000:, None] * frequency)
    response = (seen * turning).sum(axis=0) / (waves[2000:] * turning).sum(axis=0)
    np.testing.assert_allclose(response, 1 / (1 + 1j * frequency / 135), atol=0.02)
    np.testing.assert_allclose(response[:2], 1 / (1 + 1j * frequency[:2] / 135), atol=1e-3)


def test_response_does_not_depend_on_the_cut():
    noise = np.random.default_rng(3).normal(size=(300, 5))
    whole = Opm().follow(5, 1000.0, (1,))(noise)
    follow = Opm().follow(5, 1000.0, (1,))
    parts = np.concatenate([follow(noise[start : start + 7]) for start in range(0, 300, 7)])
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize(("vector", "beats", "lost"), [(None, 60, 0.007), (FETAL, 140, 0.058)])
def test_bandwidth_costs_the_r_peak_what_science_says(vector, beats, lost):
    """Science 1.1: 135 Hz cut the adult R by 0.7 % and the fetal one by 5.8 % in the leading lead."""
    still = Rhythm(beats, variability=0, variation=0)
    heart = SameniHeart(rhythm=still) if vector is None else SameniHeart(vector=vector, rhythm=still)
    moment = heart.start(20_000.0, (1,)).moments(0, 40_000)[0][:, :1]
    seen = OPM.follow(1, 20_000.0, (1,))(moment)
    assert 1 - np.abs(seen).max() / np.abs(moment).max() == pytest.approx(lost, abs=0.25 * lost)


def test_impossible_sensors_are_refused():
    with pytest.raises(ValueError, match="an OPM needs"):
        Opm(bandwidth=0)
