"""Intervals: what they must be for plain means, what noise adds to a size, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from benchmarks.coverage import coverage, held
from benchmarks.scans import Scene, planar
from zeromag.mapping.average import Average
from zeromag.mapping.bootstrap import interval, median_rr, resampled
from zeromag.mapping.parameters import Parameter
from zeromag.mapping.parts import Parts
from zeromag.mapping.unit import DEGREES, UNITS, Unit

PLAIN = Unit("1")


def plain_average(values: np.ndarray, rr: np.ndarray | None = None) -> Average:
    """One channel, one sample, a beat a part: its bootstrap is that of the values' mean."""
    sensors = planar(2).pick(np.array([0]))
    parts = values[:, None, None]
    good = np.ones(1, dtype=bool)
    wave = parts.mean(axis=0)
    known = Parts(tuple(parts), (np.ones((1, 1), dtype=np.int64),) * len(values), wave, np.ones(len(values)))
    return Average("normal", np.zeros(1), wave, np.ones(1), len(values), sensors, good, known, rr)


def drawn(average: Average) -> tuple[np.ndarray, np.ndarray]:
    both = list(resampled(average))
    return np.array([wave[0, 0] for wave, _ in both]), np.array([rr for _, rr in both])


@pytest.mark.parametrize("n", [2, 5, 12, 60, 63, 64])
def test_the_interval_of_a_mean_is_students(n: int) -> None:
    values = np.random.default_rng(n).normal(3.0, 2.0, n)
    draws, _ = drawn(plain_average(values))
    value, low, high = interval(float(values.mean()), draws, n, PLAIN)
    half = t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
    assert value == values.mean()
    assert (high - low) / 2 == pytest.approx(half, rel=0.02)


def test_angles_are_counted_around_the_circle() -> None:
    random = np.random.default_rng(0)
    draws = (179.0 + random.normal(0, 2.0, 2000) + 180) % 360 - 180
    value, low, high = interval(179.0, draws, 60, DEGREES)
    assert (value - low, high - value) == (pytest.approx(4.03, rel=0.1), pytest.approx(4.03, rel=0.1))
    everywhere = random.uniform(-180, 180, 2000)
    _, low, high = interval(0.0, everywhere, 5, DEGREES)
    assert high - low == 360.0


@pytest.mark.parametrize("true", [0.0, 3.0, 10.0])
def test_what_noise_adds_to_a_size_is_taken_off(true: float) -> None:
    """The length of a vector of forty noisy numbers: √(true² + 40 σ²) without correction."""
    random, n = np.random.default_rng(int(true)), 40
    vector = np.zeros(n)
    vector[0] = true
    unit = Unit("1", least=0.0, power=2)
    powers, hits, naive = [], [], []
    for _ in range(400):
        seen = vector + random.normal(size=n)
        draws = np.linalg.norm(seen + random.normal(size=(100, n)), axis=1)
        value, low, high = interval(float(np.linalg.norm(seen)), draws, 1000, unit)
        powers.append(value**2)
        hits.append(low <= true <= high)
        naive.append(np.linalg.norm(seen))
    assert np.mean(naive) - true > 1.5  # this is what is taken off
    assert np.mean(powers) == pytest.approx(true**2, abs=6.0 if true == 0 else 3.0)  # clipped at 0 where there is none
    assert 0.92 <= np.mean(hits) <= 0.98


def test_too_few_draws_or_beats_tell_no_interval() -> None:
    draws = np.r_[np.random.default_rng(0).normal(size=40), np.full(60, np.nan)]
    assert np.isnan(interval(0.0, draws, 60, PLAIN)[1])
    assert np.isnan(interval(0.0, draws[:40], 1, PLAIN)[2])
    assert np.isfinite(interval(0.0, draws[:40], 2, PLAIN)[1])
    assert interval(0.0, np.array([]), 60, UNITS["angle_change_T"])[0] == 0.0


def test_rr_is_drawn_with_the_beats() -> None:
    rr = np.r_[np.nan, np.random.default_rng(2).normal(0.8, 0.05, 39)]
    average = plain_average(np.arange(40.0), rr)
    assert median_rr(average) == np.nanmedian(rr)
    waves, medians = drawn(average)
    assert len(set(medians.tolist())) > 5
    assert np.isfinite(medians).all()
    assert waves.std() > 0
    assert np.isnan(median_rr(plain_average(np.arange(4.0))))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("beats", "noise"), [(60, 0.3e-12), (20, 0.6e-12)])
def test_intervals_hold_the_truth_as_often_as_they_say(beats: int, noise: float) -> None:
    """Two hundred scans: 93 to 97 of 100, and what chance does to 200 tries (1.5 of 100, so 4.6 at three of these).

    Sizes that noise alone can make (`power`) and those held at an end of their scale may hold it more often.
    """
    found = coverage(Scene(planar(), noise=noise), beats, 200, jobs=2, first=1000)
    assert set(found) == set(UNITS)
    shares = {name: one.share for name, one in found.items()}
    # where noise hides the ends of single channels' T waves, how they spread is known less well than is said
    hidden = {"qt_deviation": 0.80, "smoothness_index": 0.80} if beats == 20 else {}
    short = {name: share for name, share in shares.items() if share < hidden.get(name, 0.95 - 0.046)}
    long = {name: share for name, share in shares.items() if share > 0.95 + 0.046 and not UNITS[name].power}
    assert not short
    assert not {name for name in long if name != "cdv_class"}
    usual = [share for name, share in shares.items() if not UNITS[name].power and name != "cdv_class"]
    assert 0.93 <= np.mean(usual) <= 0.97
    assert all(abs(one.bias) < 0.5 for one in found.values()), found


@pytest.mark.parametrize("name", ["qt", "map_angle_T"])
def test_coverage_tells_a_wrong_interval_from_a_right_one(name: str) -> None:
    """The harness itself, of scans whose errors are known: angles around 180°, intervals an eighth as wide, a bias."""
    random = np.random.default_rng(0)
    truth, sd = (179.0, 3.0) if UNITS[name].period else (0.4, 0.002)

    def scans(half: float, bias: float = 0.0) -> list[dict[str, Parameter]]:
        values = truth + sd * (bias + random.standard_normal(4000))
        if UNITS[name].period:
            values = (values + 180) % 360 - 180
        return [{name: Parameter(value=v, low=v - half, high=v + half, unit="")} for v in values.tolist()]

    right, narrow, away = (
        held(name, truth, scans(1.96 * sd)),
        held(name, truth, scans(0.245 * sd)),
        scans(1.96 * sd, 2.0),
    )
    assert right.share == pytest.approx(0.95, abs=0.012)
    assert right.width == pytest.approx(1.0, abs=0.05)
    assert narrow.share == pytest.approx(0.194, abs=0.03)
    assert narrow.width == pytest.approx(0.125, abs=0.01)
    assert held(name, truth, away).bias == pytest.approx(2.0, abs=0.1)
    assert held(name, truth, away).share < 0.6
    untold = [{name: Parameter(value=truth, low=None, high=None, unit="")}, {}]
    assert held(name, truth, untold).scans == 0
