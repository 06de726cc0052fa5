"""Noise, lines, stability, digitiser and common mode against known truth, laws and a real OPM second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from zeromag.acquire.scene import room_seed
from zeromag.acquire.simulate import Simulation, simulation
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.characterise.common_mode import common_mode
from zeromag.characterise.digitiser import digitiser
from zeromag.characterise.lines import clear_of, find_lines, measure_line
from zeromag.characterise.measured import median_over, spread_over
from zeromag.characterise.noise import fit_noise, median_density
from zeromag.characterise.own_noise import own_spectrum
from zeromag.characterise.record import Record, gather
from zeromag.characterise.residual_field import ResidualField, residual_field
from zeromag.characterise.spectrum import spectrum
from zeromag.characterise.stability import allan, drift
from zeromag.characterise.turned_by_field import turned_by_field
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, with_references
from zeromag.physics.drift import Residual
from zeromag.physics.noise import NoiseStream, SensorNoise
from zeromag.physics.outside import outside_basis
from zeromag.sensors import SensorArray

RATE = 500.0


def noise(white: float, corner: float, seconds: float, channels: int, seed: int = 3) -> np.ndarray:
    chunk = 2048
    stream = NoiseStream(SensorNoise(white, corner), np.ones(channels), RATE, chunk, (seed,))
    count = round(seconds * RATE)
    return np.concatenate([stream.chunk(k) for k in range(count // chunk + 1)])[:count]


def record(data: np.ndarray, sensors: SensorArray | None = None) -> Record:
    array = sensors or grid(1, data.shape[1], 0.04)
    return Record(data, RATE, array, 0, np.zeros((0, 2), dtype=np.int64))


@pytest.fixture(scope="module")
def room() -> tuple[Simulation, Record]:
    source = simulation("sim:empty-room?seconds=60&gain_error=0.02&rate=500", block=5000)
    return source, gather(source.blocks(), 60)


def test_spectrum_is_scipys() -> None:
    data = np.random.default_rng(1).normal(size=(4000, 3))
    found = spectrum(data, 100.0)
    frequency, power = signal.welch(data, 100.0, window="hann", nperseg=1000, noverlap=500, detrend="linear", axis=0)
    np.testing.assert_allclose(found.frequency, frequency[1:-1])
    np.testing.assert_allclose(found.power, power[1:-1], rtol=1e-9)


def test_noise_of_known_sensors_is_found_within_its_interval() -> None:
    data = noise(15e-15, 3.0, 300, 80)
    density = spectrum(data, RATE)
    fit = fit_noise(density, np.ones(len(density.frequency), dtype=bool))
    assert abs(np.median(fit.white) / 15e-15 - 1) < 0.01
    assert np.abs(fit.white / 15e-15 - 1).max() < 0.03
    assert abs(np.median(fit.corner) / 3 - 1) < 0.05
    for value, truth, error in (
        (np.log(fit.white), np.log(15e-15), fit.white_error),
        (np.log(fit.corner), np.log(3.0), fit.corner_error),
        (fit.exponent, 1.0, fit.exponent_error),
    ):
        inside = np.mean(np.abs(value - truth) < 1.96 * error)
        assert 0.88 <= inside <= 1.0, inside  # 95 % of 80: 3 σ below is 0.88


def test_median_density_of_few_windows_is_not_too_low() -> None:
    density = spectrum(noise(20e-15, 0.0, 40, 100), RATE)
    level, error = median_density(density, np.ones(len(density.frequency), dtype=bool))
    assert abs(level.mean() / 20e-15 - 1) < 0.01
    assert 0.88 < np.mean(np.abs(level / 20e-15 - 1) < 1.96 * error) <= 1.0


def test_own_noise_is_found_below_a_field_a_thousand_times_stronger() -> None:
    sensors = with_references(grid())
    outside = np.cumsum(np.random.default_rng(5).normal(scale=1e-12, size=(60000, 8)), axis=0)
    own = noise(15e-15, 3.0, 120, len(sensors))
    own[:, 7] *= 4
    held = record(own + outside @ outside_basis(sensors).T, sensors)
    whole = spectrum(held.data, RATE)
    apart, told = own_spectrum(held, whole)
    assert told[:36].all()
    everywhere = np.ones(len(whole.frequency), dtype=bool)
    white = fit_noise(apart, everywhere).white
    assert np.median(fit_noise(whole, everywhere).white) > 30e-15
    assert abs(np.median(white[told]) / 15e-15 - 1) < 0.03
    assert abs(white[7] / 60e-15 - 1) < 0.05


def test_a_line_is_found_and_measured() -> None:
    time = np.arange(20000) / RATE
    data = noise(15e-15, 3.0, 40, 12)
    data += np.sin(2 * np.pi * 50.03 * time)[:, None] * np.linspace(1e-12, 12e-12, 12)
    data += 0.5e-12 * np.sin(2 * np.pi * 23.4 * time + 1)[:, None]
    found = find_lines(spectrum(data, RATE))
    assert np.abs(np.array(found) - [23.4, 50.03]).max() < 0.02
    line = measure_line(data, RATE, found[1])
    assert np.abs(line.amplitude - np.linspace(1e-12, 12e-12, 12)).max() < 4 * line.error.max() < 0.1e-12
    clear = clear_of(np.arange(490, 511) * 0.1, [50.03])
    np.testing.assert_array_equal(np.flatnonzero(~clear), np.arange(6, 16))


def test_noise_alone_has_no_line() -> None:
    assert find_lines(spectrum(noise(15e-15, 3.0, 60, 36), RATE)) == []


def test_the_real_second_holds_its_known_figures(data: Path) -> None:
    source = open_source(str(data / "opm_noise" / "20220623_095714.cMEG"))
    held = gather(source.blocks(), 60)
    assert len(held.sensors) == 128
    density = spectrum(held.data, held.rate)
    assert any(abs(line - 50) < 0.5 for line in find_lines(density))
    mains = measure_line(held.data, held.rate, 50.0)
    assert np.median(mains.amplitude) == pytest.approx(2134e-15, rel=0.02)
    level, _ = median_density(density, np.ones(len(density.frequency), dtype=bool), 10, 40)
    assert 18e-15 < np.median(level) < 25e-15
    assert (digitiser(held).railed == 0).all()


def test_allan_deviation_of_white_noise_falls_as_the_law_says() -> None:
    data = noise(15e-15, 0.0, 300, 20)
    found = allan(data, RATE)
    law = 15e-15 / np.sqrt(2 * found.tau)
    short = found.tau < 5
    np.testing.assert_allclose(np.median(found.deviation, axis=1)[short], law[short], rtol=0.05)
    assert (found.low < 1).all()
    assert (found.high > 1).all()


def test_drift_is_the_slope_with_its_error() -> None:
    data = noise(15e-15, 3.0, 100, 60)
    data += 1e-14 * np.arange(len(data))[:, None] / RATE
    slope, error = drift(data, RATE)
    assert 0.85 < np.mean(np.abs(slope - 1e-14) < 1.96 * error) <= 1.0


def test_steps_and_rails_are_seen() -> None:
    step = 0.15e-12
    data = np.rint(noise(300e-15, 3.0, 20, 3) / step) * step
    data[:, 1] = np.clip(data[:, 1], -10 * step, 10 * step)
    data[:, 2] = np.random.default_rng(2).normal(scale=1e-12, size=len(data))
    found = digitiser(record(data))
    np.testing.assert_allclose(found.step[:2], step, rtol=1e-3)
    assert found.step[2] == 0
    assert found.railed[0] < 0.01 < found.railed[1]
    assert found.limit[1] == pytest.approx(10 * step)
    assert np.isinf(found.limit[0])
    # science §2.1: 0.153 pT at 1 kHz is 2.0 fT/√Hz
    assert found.noise(1000.0)[0] == pytest.approx(2.0e-15, rel=0.05)


def test_gain_spread_and_rejection_from_the_mains(room: tuple[Simulation, Record]) -> None:
    source, held = room
    lines = find_lines(spectrum(held.data, held.rate))
    found = common_mode(held, lines, np.full(len(held.sensors), 15e-15))
    truth = source.real_array().gain[:36]
    truth = truth / truth.mean()
    assert found is not None
    assert np.corrcoef(found.gain[:36], truth)[0, 1] > 0.95
    assert found.rejection.value == pytest.approx(-20 * np.log10(truth.std(ddof=1)), abs=1.0)
    assert found.spread.low < truth.std(ddof=1) < found.spread.high


def test_no_strong_line_no_rejection() -> None:
    held = record(noise(15e-15, 3.0, 40, 36), grid())
    assert common_mode(held, [50.0], np.full(36, 15e-15)) is None
    assert common_mode(held, [], np.full(36, 15e-15)) is None


def test_residual_field_and_gradient() -> None:
    quiet = simulation(
        "sim:empty-room?seconds=10&drift_pT=0&lift_pT=0&mains_pT=0&residual_nT=1&gain_error=0.001", block=1000
    )
    held = gather(quiet.blocks(), 10)
    part = next(each for each in quiet.room if isinstance(each, Residual))
    truth = part.strengths(room_seed(quiet.seed, part))
    found = residual_field(held)
    assert found is not None
    assert (np.abs(found.strengths - truth) < 4 * found.errors).all()
    flat = residual_field(record(held.data[:, :36], grid()))
    assert flat is not None
    assert np.isfinite(flat.strengths[[2, 6, 7]]).all()
    assert np.isnan(flat.strengths[[0, 1, 5]]).all()  # a flat Bz array sees neither


def test_intervals_over_channels() -> None:
    rng = np.random.default_rng(0)
    inside = [low <= 1.0 <= high for low, high in ((m.low, m.high) for m in (
        spread_over(rng.normal(size=30), "1") for _ in range(400)
    ))]  # fmt: skip
    assert 0.92 < np.mean(inside) < 0.98
    middle = median_over(np.array([1.0, 2.0, np.nan, 3.0]), "T")
    assert middle.value == 2.0
    assert middle.low <= 2.0 <= middle.high
    assert middle.scaled(1e15, "fT").to_dict()["value"] == 2e15


def test_gather_fills_gaps_and_refuses_what_is_no_array(sensors: SensorArray) -> None:
    one = Block(data=np.ones((10, 3)), first=5, rate=100.0, sensors=sensors)
    two = Block(data=np.ones((10, 3)), first=25, rate=100.0, sensors=sensors, mask=np.ones((10, 3), dtype=bool))
    held = gather([one, two], 10.0)
    assert held.data.shape == (30, 3)
    assert held.first == 5
    assert np.isnan(held.data[10:]).all()
    with pytest.raises(InputError, match="no sample"):
        gather([], 1.0)
    ecg = SensorArray(("I",), np.full((1, 3), np.nan), np.full((1, 3), np.nan), kinds=("ecg",))
    with pytest.raises(InputError, match="no magnetometer"):
        gather([Block(data=np.ones((10, 1)), first=0, rate=100.0, sensors=ecg)], 1.0)
    with pytest.raises(InputError, match="changed"):
        gather([one, Block(data=np.ones((10, 3)), first=15, rate=200.0, sensors=sensors)], 10.0)


def test_a_field_across_an_axis_turns_it_as_published() -> None:
    """2.97° for 1 nT at 135 Hz; along the axis nothing; unknown without a known field or bandwidth."""
    sensors = replace(grid(2, 2), axes=np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    strengths = np.zeros(8)
    strengths[0] = 1e-9
    seen = ResidualField(strengths, np.full(8, 1e-11), 0.0)
    turned, error = turned_by_field(seen, sensors, np.array([135.0, 135.0, 270.0, np.nan]))
    np.testing.assert_allclose(np.degrees(turned[:3]), [2.97, 0.0, 1.485], atol=0.01)
    assert np.isnan(turned[3])
    assert error[0] == pytest.approx(turned[0] * 0.01 * np.sqrt(3), rel=1e-6)
    strengths[2] = np.nan
    assert np.isnan(turned_by_field(replace(seen, strengths=strengths), sensors, np.full(4, 135.0))[0]).all()
