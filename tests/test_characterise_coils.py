"""Calibration by known coils against the simulation's truth; the coils' fields against magpylib and laws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import magpylib
import numpy as np
import pytest

from zeromag.acquire.scene import OPM_SEED
from zeromag.acquire.simulate import Simulation, simulation
from zeromag.characterise.coil_calibration import Calibration, calibrate
from zeromag.characterise.crosstalk import Crosstalk, crosstalk
from zeromag.characterise.record import Record, gather
from zeromag.characterise.response import DELAYS, Response, frequency_response
from zeromag.characterise.tones import Tones, measure_tones
from zeromag.errors import InputError
from zeromag.physics.arrays import grid
from zeromag.physics.coil_table import coil_table, read_coils
from zeromag.physics.coils import Coils, Drive, calibration_coils, fields_at, loop_field
from zeromag.physics.magnetic_dipole import magnetic_dipole

Measured = tuple[Simulation, tuple[Drive, ...], Tones, Response, Crosstalk, Calibration]


def drives_of(source: Simulation) -> tuple[Drive, ...]:
    return next(part for part in source.room if isinstance(part, Coils)).drives


@pytest.fixture(scope="module")
def measured() -> Measured:
    source = simulation("sim:coils?seconds=40", block=4000)
    held = gather(source.blocks(), 40)
    drives = drives_of(source)
    tones = measure_tones(held, np.array([drive.frequency for drive in drives]))
    response = frequency_response(tones, drives)
    assert response is not None
    follow = response.at(tones.frequency)
    mixed = crosstalk(tones, drives, source.sensors, follow)
    assert mixed is not None
    found = calibrate(mixed.undo(tones.amplitude, follow), tones, drives, source.sensors, mixed.error)
    assert found is not None
    return source, drives, tones, response, mixed, found


def test_a_loop_is_magpylibs() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-0.1, 0.1, (50, 3))
    moment = np.array([1e-6, -2e-6, 3e-6])
    turn = magpylib.current.Circle(diameter=0.02, current=np.linalg.norm(moment) / (np.pi * 0.01**2))
    axis = moment / np.linalg.norm(moment)
    angle = np.arccos(axis[2])
    turn.rotate_from_angax(angle, np.cross([0, 0, 1], axis), degrees=False)
    turn.position = (0.01, 0.02, -0.03)
    found = loop_field(moment, np.array([0.01, 0.02, -0.03]), 0.01, points)
    np.testing.assert_allclose(found, turn.getB(points), rtol=1e-9, atol=1e-20)


def test_a_loop_on_its_axis_and_far_away() -> None:
    up, radius, z = np.array([0.0, 0.0, 1e-6]), 0.005, 0.03
    on_axis = loop_field(up, np.zeros(3), radius, np.array([[0.0, 0.0, z]]))[0]
    law = 2e-7 * 1e-6 / (radius**2 + z**2) ** 1.5
    np.testing.assert_allclose(on_axis, [0, 0, law], rtol=1e-12, atol=1e-25)
    far = np.array([[0.5, 0.7, -0.6], [-1.0, 0.2, 0.4]])
    np.testing.assert_allclose(
        loop_field(up, np.zeros(3), radius, far), magnetic_dipole(up, np.zeros(3), far), rtol=1e-3, atol=1e-17
    )


def test_points_and_loops_together_are_each_alone() -> None:
    drives = [
        Drive("a", "loop", 10.0, (1e-6, 0.0, 0.0), (0.0, 0.0, -0.1), radius=0.005),
        Drive("b", "loop", 12.0, (0.0, 2e-6, 0.0), (0.05, 0.0, -0.1)),
    ]
    point = np.array([0.02, 0.03, 0.0])
    np.testing.assert_allclose(fields_at(drives, point), [drive.field(point[None])[0] for drive in drives], rtol=1e-12)


def test_gain_place_and_axis_as_good_as_published(measured: Measured) -> None:
    source, _, _, _, _, found = measured
    truth = source.real_array()
    assert found.known().all()
    assert np.abs(found.gain / truth.gain - 1).max() < 0.008
    assert np.linalg.norm(found.positions - truth.sensors.positions, axis=1).max() < 1.0e-3
    cosine = np.clip((found.axes * truth.sensors.axes).sum(axis=1), -1, 1)
    assert np.degrees(np.arccos(cosine)).max() < 0.2
    # the drawing is wrong by much more, so the coils did it
    assert np.abs(truth.gain - 1).max() > 0.04
    assert np.linalg.norm(source.sensors.positions - truth.sensors.positions, axis=1).mean() > 2e-3


def test_crosstalk_within_a_tenth_of_a_percent(measured: Measured) -> None:
    source, _, _, _, mixed, found = measured
    truth = source.real_array().mixing
    assert truth is not None
    assert np.abs(mixed.pure(found.gain) - (truth - np.eye(36))).max() < 1e-3
    assert (truth - np.eye(36)).max() > 0.015


def corners(source: Simulation) -> np.ndarray:
    random = np.random.default_rng(np.random.SeedSequence((source.seed, OPM_SEED)))
    return 135 * np.clip(1 + 0.1 * random.standard_normal(36), 0.5, 1.5)


def true_bandwidth(source: Simulation) -> np.ndarray:
    """The simulation's bilinear filter is 1 / (1 + i tan(πf/rate) / (π corner/rate))."""
    return source.rate / np.pi * np.arctan(np.pi * corners(source) / source.rate)


def true_delay(source: Simulation) -> np.ndarray:
    ratio = np.pi * corners(source) / source.rate
    slope = np.tan(np.pi * np.array(DELAYS) / source.rate)[:, None]
    return (1 + slope**2) / ratio / (1 + (slope / ratio) ** 2) / (2 * source.rate)


def test_bandwidth_and_delay_of_each_sensor(measured: Measured) -> None:
    source, _, _, response, _, found = measured
    np.testing.assert_allclose(response.bandwidth, true_bandwidth(source), rtol=0.02)
    np.testing.assert_allclose(response.delay, true_delay(source), atol=1e-5)
    np.testing.assert_allclose(found.slowness, 1 / (2 * np.pi * corners(source)), rtol=0.03)
    assert source.opm is not None
    known = source.opm.response(response.frequency, 36, source.rate, (source.seed, OPM_SEED))
    between = response.at(np.array([2.0, 44.3, 135.0]))
    np.testing.assert_allclose(between, known[[0, 3, 6]], rtol=2e-3)


def test_a_coil_whose_place_is_wrong_shows_in_the_interval(measured: Measured) -> None:
    source, drives, tones, response, mixed, exact = measured
    moved = [replace(d, position=(d.position[0] + 2e-3, *d.position[1:])) if d.name == "C03" else d for d in drives]
    found = calibrate(mixed.undo(tones.amplitude, response.at(tones.frequency)), tones, moved, source.sensors)
    assert found is not None
    assert np.median(found.misfit) > 2 * np.median(exact.misfit)
    assert np.median(found.position_error) > 2 * np.median(exact.position_error)


def test_intervals_hold_the_truth(measured: Measured) -> None:
    """`python -m benchmarks.characterise` counts many arrays; here one, with what chance allows of 36 sensors."""
    source, _, _, response, mixed, found = measured
    real, drawn = source.real_array(), source.sensors
    assert real.mixing is not None
    wanted = real.gain[:, None] * real.mixing / real.gain  # K = G (I + C) G⁻¹
    other = ~np.eye(36, dtype=np.bool_)

    def turned(axes: np.ndarray) -> np.ndarray:
        return np.arccos(np.clip((axes * drawn.axes).sum(axis=1), -1, 1))

    def moved(places: np.ndarray) -> np.ndarray:
        return np.linalg.norm(places - drawn.positions, axis=1)

    delay = true_delay(source)
    scores = {
        "gain": (found.gain - real.gain) / found.gain_error,
        "moved": (moved(found.positions) - moved(real.sensors.positions)) / found.moved_error,
        "turned": (turned(found.axes) - turned(real.sensors.axes)) / found.turned_error,
        "crosstalk": (mixed.mixing - wanted)[other] / mixed.error[other],
        "bandwidth": (response.bandwidth - true_bandwidth(source)) / response.bandwidth_error,
        "delay": ((response.delay - delay) / response.delay_error).ravel(),
    }
    for name, score in scores.items():
        assert 0.6 < np.sqrt(np.mean(score**2)) < 1.4, name
        assert np.mean(np.abs(score) < 1.96) >= 0.86, name  # 31 of 36; of 95 % so few are met once in a hundred
    assert np.median(found.gain_error) < 1e-3
    assert np.median(mixed.error[other]) < 1e-4


def test_what_was_not_driven_is_not_measured() -> None:
    source = simulation("sim:coils?seconds=20&drives=uniform", block=2000)
    held = gather(source.blocks(), 20)
    drives = drives_of(source)
    tones = measure_tones(held, np.array([drive.frequency for drive in drives]))
    assert calibrate(tones.amplitude, tones, drives, source.sensors) is None
    assert crosstalk(tones, drives, source.sensors) is None
    assert frequency_response(tones, drives[:3]) is None


def test_tones_too_near_or_too_fast_are_refused() -> None:
    held = Record(np.random.default_rng(0).normal(size=(4000, 2)), 100.0, grid(1, 2), 0, np.zeros((0, 2), np.int64))
    with pytest.raises(ValueError, match="apart"):
        measure_tones(held, np.array([10.0, 10.1]))
    with pytest.raises(ValueError, match="below 50 Hz"):
        measure_tones(held, np.array([10.0, 60.0]))
    short = replace(held, data=held.data[:1500])
    with pytest.raises(ValueError, match=r"got 0\.5 Hz: 24 s or more are needed"):
        measure_tones(short, np.array([10.0, 10.5]))
    assert measure_tones(replace(held, data=held.data[:2400]), np.array([10.0, 10.5])).frequency[1] == 10.5


def test_a_coil_table_comes_back_the_same(tmp_path: Path) -> None:
    drives = calibration_coils(grid()).drives
    path = tmp_path / "coils.tsv"
    path.write_text(coil_table(drives))
    back = read_coils(path)
    assert [d.name for d in back] == [d.name for d in drives]
    for one, two in zip(back, drives, strict=True):
        np.testing.assert_allclose(one.pattern(grid()), two.pattern(grid()), rtol=1e-9, atol=1e-21)
        assert one.phase == pytest.approx(two.phase)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "names no coil"),
        ("C1\tloop\t10", "12 columns"),
        ("C1\tloop\tten\t0\t0\t0\t0\t1\t0\t0\t0\t-", "word where a number"),
        ("C1\tloop\t-1\t0\t0\t0\t0\t1\t0\t0\t0\t-", "above 0 Hz"),
        ("C1\tsquare\t10\t0\t0\t0\t0\t1\t0\t0\t0\t-", "'square'"),
        ("C1\tonboard\t10\t0\t0\t0\t0\t1\t0\t0\t0\t-", "onboard"),
    ],
)
def test_a_bad_coil_table_is_one_sentence(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "coils.tsv"
    path.write_text(coil_table(()) + line + "\n")
    with pytest.raises(InputError, match=says):
        read_coils(path)


def test_unknown_coils_name_the_nearest() -> None:
    with pytest.raises(InputError, match="'loop'"):
        simulation("sim:coils?drives=loops")
