"""Fiducials, intervals, angles, their intervals by bootstrap, and the gate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gate import Growing, heartless
from benchmarks.scans import Scene
from tests.hearts import F64, TestHeart, planar
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.fiducials import Fiducials, fiducials, signal_space, wave_fiducials
from zeromag.mapping.gate import FALLS, Gate
from zeromag.mapping.intervals import intervals
from zeromag.mapping.parameters import Parameter, parameters
from zeromag.mapping.parts import Parts
from zeromag.mapping.t_motion import largest_change
from zeromag.mapping.unit import UNITS

TIME = np.arange(-300, 501) / 1000


def averaged(
    heart: TestHeart | None = None, *, noise: float = 1e-12, beats: int = 60, seed: int = 0, parts: int = 64
) -> Average:
    """An average as the stream gives it: beats of one heart and white noise of `noise` T each."""
    sensors, heart = planar(), heart or TestHeart()
    clean = heart.beat(TIME) @ heart.gains(sensors).T
    random = np.random.default_rng(seed)
    size = min(beats, parts)
    counts = np.full(size, beats // size) + (np.arange(size) < beats % size)
    single = random.normal(size=(size, len(TIME), 36)) * (noise / np.sqrt(counts))[:, None, None]
    made = clean + single
    wave = np.average(made, axis=0, weights=counts)
    in_each = tuple(np.full(wave.shape, count) for count in counts)
    known = Parts(tuple(made), in_each, wave, np.ones(size))
    good = np.ones(36, dtype=bool)
    return Average("normal", TIME, wave, np.full(36, noise / np.sqrt(beats)), beats, sensors, good, known)


def rhythm(n: int, rr: float = 0.85) -> list[Beat]:
    return [Beat(1000 * rr * (k + 1), rr=rr if k else float("nan")) for k in range(n)]


def test_waves_are_found_where_they_are() -> None:
    marks = fiducials(averaged(noise=0.2e-12))
    assert marks.r_peak == pytest.approx(0.0, abs=2e-3)
    assert marks.p_peak == pytest.approx(-0.16, abs=5e-3)
    assert marks.t_peak == pytest.approx(0.262, abs=5e-3)
    assert marks.p_onset == pytest.approx(-0.20, abs=0.01)  # two widths before the peak
    assert marks.qrs_onset == pytest.approx(-0.05, abs=0.01)
    assert marks.qrs_end == pytest.approx(0.06, abs=0.01)
    assert marks.t_end == pytest.approx(0.345, abs=0.015)
    assert marks.t_end_trapezium > marks.t_peak
    assert marks.t_onset < marks.t_peak
    order = [marks.p_onset, marks.p_peak, marks.p_end, marks.qrs_onset, marks.r_peak, marks.qrs_end, marks.t_peak]
    assert order == sorted(order)


@pytest.mark.parametrize("channels", [36, 1200])  # fewer than the beat has samples, and more
def test_the_directions_of_a_beat_are_those_of_all_its_singular_values(channels: int) -> None:
    random, clean = np.random.default_rng(0), averaged()
    bumps = np.exp(-0.5 * ((TIME[:, None] - [-0.16, -0.01, 0.01, 0.26]) / [0.02, 0.01, 0.01, 0.04]) ** 2)
    wave = 1e-12 * (bumps @ (random.normal(size=(4, channels)) * [[2], [20], [20], [6]]))
    wave += 0.1e-12 * random.normal(size=wave.shape)
    good, noise = np.ones(channels, dtype=bool), np.full(channels, 0.1e-12)
    space = signal_space(replace(clean, wave=wave, good=good, noise=noise))
    _, sizes, right = np.linalg.svd(wave - wave.mean(axis=0), full_matrices=False)
    edge = 1.1 * 0.1e-12 * (np.sqrt(len(TIME)) + np.sqrt(channels))
    assert space.shape == (channels, 4)
    assert (sizes > edge).sum() == 4
    assert np.abs(space @ space.T - right[:4].T @ right[:4]).max() < 1e-12
    still = signal_space(replace(clean, wave=0 * wave, good=good, noise=noise))
    assert np.isfinite(still).all()


def test_the_trapezium_is_less_biased_than_the_tangent_in_wideband_noise() -> None:
    """The order that Vázquez-Seisdedos 2011 found on single leads (science §8.16)."""
    random = np.random.default_rng(0)
    clean = np.exp(-0.5 * ((TIME - 0.28) / 0.04) ** 2)[:, None] + 4 * np.exp(-0.5 * (TIME / 0.012) ** 2)[:, None]
    truth = wave_fiducials(TIME, clean)
    errors = []
    for _ in range(150):
        marks = wave_fiducials(TIME, clean + 0.1 * random.normal(size=(len(TIME), 1)))
        errors.append((marks.t_end - truth.t_end, marks.t_end_trapezium - truth.t_end_trapezium))
    tangent, trapezium = np.abs(np.nanmean(np.array(errors), axis=0))
    assert trapezium < tangent


def test_a_wave_that_is_not_there_is_not_found() -> None:
    qrs = np.exp(-0.5 * (TIME / 0.012) ** 2)[:, None] * np.array([1.0, -2.0, 0.5])
    marks = wave_fiducials(TIME, qrs + 1e-3 * np.random.default_rng(0).normal(size=(len(TIME), 3)))
    assert np.isnan(marks.p_peak)
    assert np.isnan(marks.t_peak)
    assert np.isnan(marks.t_end)
    blind = replace(averaged(), good=np.zeros(36, dtype=bool))
    assert np.isnan(fiducials(blind).r_peak)


def test_intervals_are_differences_of_fiducials() -> None:
    marks = Fiducials(-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.15, 0.25, 0.35, 0.36)
    found = intervals(marks, 0.64)
    assert found["pr"] == pytest.approx(0.15)
    assert found["qrs"] == pytest.approx(0.10)
    assert found["qt"] == pytest.approx(0.40)
    assert found["qtc_bazett"] == pytest.approx(0.50)
    assert found["qtc_fridericia"] == pytest.approx(0.40 / 0.64 ** (1 / 3))
    assert np.isnan(intervals(marks, float("nan"))["qtc_bazett"])


@pytest.mark.parametrize("turn", [0.0, 70.0, 160.0, -100.0])
def test_angles_turn_with_the_heart(turn: float) -> None:
    """The plus pole is 90° counter-clockwise of the current; so plus to minus is 90° clockwise of it."""

    class Turned(TestHeart):
        def beat(self, time: F64, *_: object) -> F64:
            pulse = np.exp(-0.5 * (time / 0.012) ** 2) + 0.3 * np.exp(-0.5 * ((time - 0.26) / 0.04) ** 2)
            return 1e-5 * pulse[:, None] * np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn)), 0.0])

    found = parameters(averaged(Turned((0.0, 0.0, -0.09)), noise=0.1e-12), rhythm(60))
    for peak in ("R", "T"):
        assert abs((found[f"current_angle_{peak}"]["value"] - turn + 180) % 360 - 180) < 3
        assert abs((found[f"total_current_angle_{peak}"]["value"] - turn + 180) % 360 - 180) < 2
        assert abs((found[f"map_angle_{peak}"]["value"] - turn + 90 + 180) % 360 - 180) < 3
        assert found[f"pole_distance_{peak}"]["value"] == pytest.approx(0.09 * np.sqrt(2), rel=0.03)
        assert found[f"pole_ratio_{peak}"]["value"] == pytest.approx(1.0, abs=0.05)
    assert found["max_current_R"]["value"] == pytest.approx(1e-7 * 1e-5 / 0.09**3, rel=0.05)
    assert abs(found["r_t_angle"]["value"]) < 2
    assert found["angle_change_T"]["value"] < 5


def test_every_parameter_has_unit_and_interval_and_the_same_one_each_time() -> None:
    average = averaged()
    one, other = (parameters(average, rhythm(60)) for _ in range(2))
    assert one == other
    assert set(one) == set(UNITS)
    for name, found in one.items():
        assert found["unit"] == UNITS[name].name
        assert found["low"] is not None
        assert found["high"] is not None
        assert found["low"] <= found["value"] <= found["high"], name


def test_park_changes_straddle_their_limits() -> None:
    """Science §8.21: 45°, 20 mm, 0.3, each within 30 ms; a change just before and after counts apart."""
    still = np.full(20, 10.0)
    jump = still.copy()
    jump[10:] += 45.0
    assert largest_change(jump, 0.005, 0.030) == pytest.approx(45.0)
    slow = np.linspace(0, 45.0, 8)  # 45° in 35 ms
    assert largest_change(slow, 0.005, 0.030) == pytest.approx(45.0 * 6 / 7)
    assert largest_change(np.linspace(0, 45.0, 7), 0.005, 0.030) == pytest.approx(45.0)
    assert largest_change(np.array([3.0]), 0.005, 0.030) == 0.0


def test_the_gate_asks_for_as_long_as_it_takes() -> None:
    noisy = averaged(noise=4e-12, beats=60)
    gate = Gate()
    found = parameters(noisy, rhythm(60))
    early = gate([noisy], rhythm(60), found, 50.0)
    assert early["answer"] == "not yet"
    assert any("wanted" in reason for reason in early["reasons"])
    assert early["seconds_needed"] > 0
    clean = averaged(noise=0.3e-12)
    late = gate([clean], rhythm(60), parameters(clean, rhythm(60)), 50.0)
    assert late == {"answer": "yes", "reasons": [], "seconds_needed": 0.0}


def test_the_seconds_needed_follow_the_precision() -> None:
    def known_to(half: float) -> dict[str, Parameter]:
        gate = Gate()
        return {
            name: Parameter(value=0.0, low=-half * wanted, high=half * wanted, unit="1")
            for name, wanted in gate.tolerances.items()
        }

    average, beats = averaged(noise=0.3e-12), rhythm(60)
    assert Gate()([average], beats, known_to(2.0), 50.0)["seconds_needed"] == np.ceil(50 * (2**FALLS - 1))
    assert Gate()([average], beats, known_to(0.9), 50.0)["answer"] == "yes"
    assert Gate()([average], beats, known_to(30.0), 50.0)["answer"] == "no"
    few = replace(average, nave=5)
    assert Gate()([few], rhythm(5), known_to(0.9), 5.0)["seconds_needed"] == pytest.approx(5.0)


def test_the_gate_says_no_with_a_remedy() -> None:
    outside = averaged(TestHeart((-0.09, 0.0, -0.10)), noise=0.1e-12)
    answer = Gate()([outside], rhythm(60), {}, 50.0)
    assert answer["answer"] == "no"
    assert any("patient's right" in reason for reason in answer["reasons"])
    assert Gate()([], [], {}, 25.0)["answer"] == "no"
    assert Gate()([], [], {}, 5.0)["answer"] == "not yet"
    stray = replace(averaged(), nave=3)
    answer = Gate()([stray], rhythm(3), {}, 18.0)  # what looks like three beats in 18 s is not a heart
    assert (answer["answer"], answer["reasons"][0][:20]) == ("no", "only 3 beats in 18 s")
    few = np.zeros(36, dtype=bool)
    few[:3] = True
    blind = replace(averaged(), good=few)
    assert "there are 3" in Gate()([blind], rhythm(60), {}, 50.0)["reasons"][0]


def test_a_motor_that_cleaning_left_a_little_of_is_called_no_in_twenty_seconds() -> None:
    """Its 23 Hz look alike wherever they are high, and were taken for a heart; other rooms: `benchmarks/gate.py`."""
    assert heartless("motor_pT=30", 4001, seconds=20.0) <= 20.0


def test_what_the_gate_foretells_at_half_time_comes_true() -> None:
    """One scan in which `benchmarks/gate.py` finds the first yes after 40 beats, 36 s."""
    scan = Growing(Scene(planar(), noise=1e-12), 4000)
    assert scan.look(40)[0]["answer"] == "yes"
    early, _ = scan.look(20)
    assert early["answer"] == "not yet"
    assert 18.0 + early["seconds_needed"] == pytest.approx(36.0, rel=0.3)
