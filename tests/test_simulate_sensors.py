"""Sensor errors and faults in the simulated recording."""

import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, with_references
from zeromag.physics.digitiser import Digitiser
from zeromag.physics.sensor_errors import SensorErrors

QUIET = "mains=0&drift_pT=0&lift_pT=0&residual_nT=0"


def joined(spec, **settings):
    return np.concatenate([block.data for block in simulation(spec, **settings).blocks()])


def test_gains_tilts_and_places_have_the_spread_asked_for():
    array = grid(40, 40)
    real = SensorErrors(0.03, np.radians(1.5), 0.001).draw(array, (1,))
    assert real.gain.std() == pytest.approx(0.03, rel=0.1)
    angle = np.arccos((real.sensors.axes * array.axes).sum(axis=1))
    assert np.degrees(np.sqrt(np.mean(angle**2))) == pytest.approx(1.5, rel=0.1)
    assert (real.sensors.positions - array.positions).std() == pytest.approx(0.001, rel=0.1)


def test_crosstalk_is_that_of_a_dipole_and_only_between_parallel_sensors():
    real = SensorErrors(crosstalk=0.02).draw(grid(1, 3), (1,))
    np.testing.assert_allclose(real.mixing[0], [1.0, 0.02, 0.02 / 8])
    np.testing.assert_allclose(real.read(np.array([[1.0, 0.0, 0.0]])), [[1.0, 0.02, 0.02 / 8]])


def test_crosstalk_leaves_a_triaxial_sensors_own_axes_alone():
    array = with_references(grid(2, 2))
    mixing = SensorErrors(crosstalk=0.02).draw(array, (1,)).mixing
    assert np.isfinite(mixing).all()
    np.testing.assert_array_equal(mixing[4:7, 4:7], np.eye(3))


def test_gain_errors_scale_the_heart_channel_by_channel():
    source = simulation(f"sim:adult?seconds=3&{QUIET}&gain_error=0.05&noise=0")
    gain = source.real_array().gain
    clean = np.concatenate([chunk.clean for chunk in source.chunks()])
    values = joined(source.spec)
    np.testing.assert_allclose(values, clean * gain, atol=source.sensors.quantum[0])


def test_tilted_sensors_change_the_reading_but_not_the_truth():
    straight = simulation(f"sim:adult?seconds=1&{QUIET}&noise=0")
    tilted = simulation(f"sim:adult?seconds=1&{QUIET}&noise=0&tilt_deg=5")
    truth = [np.concatenate([chunk.clean for chunk in source.chunks()]) for source in (straight, tilted)]
    np.testing.assert_array_equal(truth[0], truth[1])
    change = joined(tilted.spec) - joined(straight.spec)
    assert 0.01 < np.abs(change).max() / np.abs(truth[0]).max() < 0.3


def test_a_residual_field_tilts_real_magnetometers():
    ideal = simulation("sim:adult?seconds=1&noise=0&residual_nT=1").real_array()
    real = simulation("sim:adult?seconds=1&noise=0&residual_nT=1&bandwidth=135").real_array()
    angle = np.degrees(np.arccos((ideal.sensors.axes * real.sensors.axes).sum(axis=1)))
    assert 0.5 < angle.mean() < 15


def test_each_fault_shows():
    spec = f"sim:empty-room?seconds=60&{QUIET}&dead=S01&stuck=S02&jumping=S03&noisy=S04&clipping=S05"
    values = joined(spec)
    assert np.abs(values[:, 0]).max() == 0
    assert np.ptp(values[:, 1]) == 0
    assert values[0, 1] != 0
    jumps = np.abs(np.diff(values[:60_000].reshape(-1, 100, 48).mean(axis=1)[:, 2]))
    assert 4 <= (jumps > 10e-12).sum() <= 30
    assert np.abs(values[:, 2]).max() < 55e-12
    assert values[:, 3].std() / values[:, 9].std() == pytest.approx(20, rel=0.1)
    source = simulation(spec)
    assert values[:, 4].mean() == pytest.approx(source.sensors.limit[4] - 30e-12, abs=2e-12)


def test_a_clipping_sensor_rails_on_the_heart():
    source = simulation("sim:adult?seconds=10&clipping=S09&lift_pT=0&drift_pT=0")
    values = joined(source.spec)[:, 8]
    assert 20 < (values == source.sensors.limit[8]).sum() < 5000


def test_faults_come_and_go():
    spec = f"sim:adult?seconds=6&{QUIET}&dead=S07&noisy=S08&fault_s=2&fault_end_s=4"
    values, sound = joined(spec), joined(f"sim:adult?seconds=6&{QUIET}")
    np.testing.assert_array_equal(values[:2000], sound[:2000])
    np.testing.assert_array_equal(values[4000:], sound[4000:])
    assert np.abs(values[2000:4000, 6]).max() == 0
    others = [c for c in range(48) if c not in {6, 7}]
    np.testing.assert_array_equal(values[:, others], sound[:, others])


def test_everything_at_once_ignores_the_block_size():
    spec = (
        "sim:adult?seconds=3&gain_error=0.03&tilt_deg=1.5&position_mm=1&crosstalk=0.02&dead=S07&jumping=S05"
        "&noisy=S12&clipping=S20&stuck=S30&bandwidth=135"
    )
    np.testing.assert_array_equal(joined(spec, block=7), joined(spec, block=1000))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("dead=S99", "no sensor 'S99'.*did you mean 'S"),
        ("gain_error=2", "sensor errors must be"),
        ("tilt_deg=90", "sensor errors must be"),
        ("crosstalk=1", "crosstalk must be"),
        ("bandwidth=-1", "bandwidth must be"),
    ],
)
def test_impossible_sensors_are_refused(query, message):
    with pytest.raises(InputError, match=message):
        simulation(f"sim:adult?{query}")


def test_a_railed_sensor_stays_railed_for_its_recovery():
    quantum, limit = np.array([1.0, 1.0]), np.array([10.0, 10.0])
    readings = np.zeros((60, 2))
    readings[5, 0], readings[30, 1], readings[33, 1] = 99.0, -99.0, -99.0
    whole = Digitiser(quantum, limit, 8)(readings)
    np.testing.assert_array_equal(np.flatnonzero(whole[:, 0]), np.arange(5, 14))
    np.testing.assert_array_equal(np.flatnonzero(whole[:, 1]), np.arange(30, 42))
    assert set(np.unique(whole)) == {-10.0, 0.0, 10.0}
    for cut in (6, 10, 31, 34):
        digitise = Digitiser(quantum, limit, 8)
        np.testing.assert_array_equal(np.concatenate([digitise(readings[:cut]), digitise(readings[cut:])]), whole)


def test_recovery_makes_railed_stretches_longer():
    spec = "sim:adult?seconds=5&clipping=S09&lift_pT=0&drift_pT=0"
    quick, slow = joined(spec)[:, 8], joined(spec + "&recovery_ms=15")[:, 8]
    limit = simulation(spec).sensors.limit[8]
    assert (slow == limit).sum() > (quick == limit).sum() + 15
    same = slow != limit
    np.testing.assert_array_equal(slow[same], quick[same])


@pytest.mark.parametrize("block", [10, 7, 300, 10_000])
def test_a_rezero_is_a_gap_and_a_new_offset(block):
    spec = "sim:adult?seconds=12&rezero_s=4&residual_nT=1"
    blocks = list(simulation(spec, block=block).blocks())
    samples = np.concatenate([np.arange(b.first, b.stop) for b in blocks])
    lost = np.setdiff1d(np.arange(12_000), samples)
    np.testing.assert_array_equal(lost, np.concatenate([np.arange(s, s + 1000) for s in (3000, 7000, 11_000)]))
    values = np.concatenate([b.data for b in blocks])
    before, after = values[:3000].mean(axis=0), values[3000:6000].mean(axis=0)
    assert np.abs(before).max() > 5e-10
    assert np.abs(after).max() < 1.5e-10
    np.testing.assert_array_equal(values, joined(spec))
    np.testing.assert_array_equal(values[:3000], joined(spec.replace("&rezero_s=4", ""))[:3000])


def test_a_rezero_longer_than_its_period_is_refused():
    with pytest.raises(InputError, match="shorter than the time between two"):
        simulation("sim:adult?rezero_s=0.5")
