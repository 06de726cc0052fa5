"""Information, degrees of freedom and bounds of designs against published figures, laws and Monte Carlo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares

from zeromag.characterise.designs import GENERATORS, STANDARD, assess, design, greedy, task_for
from zeromag.characterise.information import Task, information, localisation, misplaced
from zeromag.errors import InputError
from zeromag.physics.arrays import grid
from zeromag.physics.conductor import lead_field
from zeromag.physics.heart_volume import HeartVolume
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray

COARSE = Task(heart=HeartVolume(pitch=0.02))


@pytest.mark.parametrize(
    ("name", "bits", "freedom"),
    list(zip(STANDARD, (59.5, 141.0, 179.0, 165.0, 177.0), (9, 30, 42, 39, 41), strict=True)),
)
def test_total_information_as_published(name: str, bits: float, freedom: int) -> None:
    found = information(design(name))
    assert found.bits == pytest.approx(bits, rel=0.02)
    assert found.freedom == freedom


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("grid:6x6/40", (0.15, 0.28, 0.51)),
        ("triaxial:6x6/40", (0.09, 0.17, 0.27)),
        ("grid:8x8/30", (0.11, 0.21, 0.38)),
    ],
)
def test_localisation_bound_as_published(name: str, bounds: tuple[float, ...]) -> None:
    array = design(name)
    found = [1e3 * localisation(array, depth) for depth in (0.08, 0.10, 0.12)]
    np.testing.assert_allclose(found, bounds, rtol=0.10)


def test_a_fit_scatters_as_the_bound_says() -> None:
    array, task, place = grid(3, 3, 0.04), Task(), np.array([0.0, 0.0, -0.08])
    moment = np.array([task.moment, 0.0])
    rng = np.random.default_rng(4)

    def lead(at: np.ndarray) -> np.ndarray:
        return lead_field(task.conductor, at[None], array.positions, array.axes)[:, 0, :2]

    def rest(at: np.ndarray, field: np.ndarray) -> np.ndarray:
        here = lead(at)
        return (field - here @ np.linalg.lstsq(here, field, rcond=None)[0]) / task.sigma

    found = []
    for _ in range(150):
        field = lead(place) @ moment + task.sigma * rng.standard_normal(9)
        found.append(least_squares(rest, place, args=(field,), x_scale=0.01).x - place)
    scatter = np.sqrt(np.mean(np.sum(np.square(found), axis=1)))
    assert scatter == pytest.approx(localisation(array, 0.08), rel=0.15)


def test_gain_errors_move_a_dipole_as_published() -> None:
    assert 1e3 * misplaced(grid(), 0.10, gain=0.01, draws=400) == pytest.approx(0.47, rel=0.10)


def test_more_noise_tells_less_and_twice_the_sensors_tell_more() -> None:
    assert information(grid(), Task(noise=150e-15)).bits < information(grid()).bits
    twice = design("layers:6x6/40/50")
    assert information(twice, COARSE).bits > information(grid(), COARSE).bits
    quiet, loud = Task(), Task(noise=30e-15)
    assert localisation(grid(), 0.1, loud) == pytest.approx(2 * localisation(grid(), 0.1, quiet))


def test_one_channel_is_shannons_formula() -> None:
    array = grid(1, 1)
    lead = lead_field(COARSE.conductor, COARSE.heart.points(), array.positions, array.axes)
    power = np.sum((lead * COARSE.moment) ** 2) / lead.shape[1]
    assert information(array, COARSE).bits == pytest.approx(0.5 * np.log2(1 + power / COARSE.sigma**2))


def test_greedy_beats_a_grid_of_as_many_and_every_random_choice() -> None:
    candidates = grid(11, 11, 0.02)
    chosen = information(candidates.pick(greedy(candidates, 9, COARSE)), COARSE).bits
    assert chosen > information(grid(3, 3, 0.04), COARSE).bits
    rng = np.random.default_rng(1)
    assert all(chosen > information(candidates.pick(rng.choice(121, 9, replace=False)), COARSE).bits for _ in range(30))


def test_every_generator_makes_what_its_example_says() -> None:
    counts = {"grid": 36, "triaxial": 108, "layers": 72, "hexagonal": 37, "curved": 36, "curved-triaxial": 108,
              "vest": 72, "greedy": 36}  # fmt: skip
    for name, generator in GENERATORS.items():
        array = design(generator.example)
        assert len(array) == counts[name]
        np.testing.assert_allclose(np.linalg.norm(array.axes, axis=1), 1.0)
    bent = design("curved:6x6/40/200")
    np.testing.assert_allclose(np.linalg.norm((bent.positions + np.array([0, 0, 0.2])) * [1, 0, 1], axis=1), 0.2)


def test_a_vest_goes_round_the_chest_and_looks_outwards() -> None:
    vest = design("vest:4x10/50/360/280")
    x, y, z = vest.positions.T
    np.testing.assert_allclose((x / 0.18) ** 2 + ((z + 0.14) / 0.14) ** 2, 1.0)
    assert np.unique(np.round(y, 9)).tolist() == pytest.approx([-0.075, -0.025, 0.025, 0.075])
    assert ((vest.positions + np.array([0, 0, 0.14])) * vest.axes)[:, [0, 2]].sum(axis=1).min() > 0.05
    ring = vest.positions[:10]
    steps = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.1  # equal along the ellipse, so chords nearly are
    np.testing.assert_allclose(x[:10], -x[:10][::-1], atol=1e-6)


def test_sensors_all_around_are_reckoned_about_a_sphere_and_know_more_than_their_front() -> None:
    vest = design("vest:4x10/50/360/280")
    task = replace(task_for([vest, grid()]), heart=COARSE.heart)
    assert isinstance(task.conductor, Sphere)
    assert not isinstance(task_for([grid()]).conductor, Sphere)
    row, front = assess("vest", vest, task), vest.pick(np.flatnonzero(vest.positions[:, 2] > -0.14))
    assert information(front, task).bits < row.bits
    assert row.bits_farther < row.bits
    chosen = information(design("greedy:20/vest:4x10/50/360/280"), task).bits
    assert information(vest.pick(range(0, 40, 2)), task).bits < chosen < row.bits


def test_a_table_of_sensors_is_a_design(data: Path) -> None:
    array = design(str(data / "arrays" / "grid6x6_40mm.tsv"))
    row = assess("file", array, COARSE)
    assert row.channels == 36
    assert row.bits == pytest.approx(information(grid(), COARSE).bits)
    assert row.bits_farther < row.bits
    assert row.bound[0] < row.bound[1] < row.bound[2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gird:6x6/40", "designs are"),
        ("grid:6x6", "grid:6x6/40"),
        ("grid:0x6/40", "grid:6x6/40"),
        ("grid:999x999/40", "at most"),
        ("greedy:400/50", "larger surface"),
        ("nowhere.tsv", "neither"),
    ],
)
def test_nonsense_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        design(text)


def test_an_array_without_places_cannot_be_assessed() -> None:
    with pytest.raises(ValueError, match="places"):
        information(SensorArray(("a",), np.full((1, 3), np.nan), np.full((1, 3), np.nan)))
