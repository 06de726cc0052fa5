"""Where LSL's samples stand: what a sender's clock skips is a gap of that length, and jitter is none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from zeromag.acquire.lsl_places import Placed, Places, placed

RATE = 1000.0
Samples = NDArray[np.int64]
Stamps = NDArray[np.float64]


def pulled(stamps: Stamps, seed: int, most: int = 40) -> tuple[list[Placed], int]:
    """Return the runs of stamps that came in pulls of random sizes, and how many samples waited at most."""
    chance, places, at, given, held = np.random.default_rng(seed), Places(RATE), 0, 0, 0
    runs: list[Placed] = []
    while at < len(stamps):
        size = int(chance.integers(1, most))
        runs += places(stamps[at : at + size])
        at = min(at + size, len(stamps))
        given = sum(count for _, count in runs)
        held = max(held, at - given)
    runs += places(np.zeros(0), over=True)
    return runs, held


def stood(runs: list[Placed]) -> Samples:
    return np.concatenate([np.arange(first, first + count) for first, count in runs])


def skipping(*skips: tuple[int, int], samples: int = 3000) -> Samples:
    """Return which samples a device gives that skips some: at which, how many."""
    given = np.arange(samples)
    for at, count in skips:
        given = given[(given < at) | (given >= at + count)]
    return given


def stamped(given: Samples, ppm: float, chunk: int = 10) -> Stamps:
    """Return the stamps of a sender that stamps the last sample of each chunk by its clock; LSL deduces the others."""
    stamps = np.empty(len(given))
    for at in range(0, len(given), chunk):
        part = given[at : at + chunk]
        ends = np.flatnonzero(np.diff(part) > 1).tolist()  # what is skipped ends a chunk
        for low, high in zip([0, *(end + 1 for end in ends)], [*(end + 1 for end in ends), len(part)], strict=True):
            last = 5000.0 + part[high - 1] / RATE * (1 - ppm * 1e-6)
            stamps[at + low : at + high] = last - np.arange(high - low - 1, -1, -1) / RATE
    return stamps


@pytest.mark.parametrize("ppm", [100.0, 4000.0, -4000.0])
@pytest.mark.parametrize("skip", [1, 50, 190])
def test_what_a_sample_clock_skips_is_missing_to_the_sample(skip: int, ppm: float) -> None:
    given = skipping((1303, skip), (2111, skip))
    runs, held = pulled(stamped(given, ppm), seed=skip)
    assert_array_equal(stood(runs), given)
    assert 0 < held < 450
    assert_array_equal(stood(placed(stamped(given, ppm), RATE)), given)


def test_two_losses_close_together_are_two_gaps() -> None:
    given = skipping((1500, 50), (1620, 150))
    runs, _ = pulled(stamped(given, 20.0), seed=1)
    assert_array_equal(stood(runs), given)


def arrivals(chunk: int, hiccup: float, seed: int, seconds: float = 15.0) -> Stamps:
    """Return the stamps of a sender that stamps each chunk when it has it: late by chance, and by hiccups of a bus."""
    chance = np.random.default_rng(seed)
    taken = np.arange(chunk, seconds * RATE, chunk) / RATE
    came = taken + chance.exponential(0.001, len(taken))
    for begin in chance.uniform(2.0, seconds, 15):
        end = begin + chance.uniform(0.0, hiccup)
        came = np.where((taken > begin) & (came < end), end + 1e-4 * (taken - begin), came)
    came = np.maximum.accumulate(came)
    return np.concatenate([last - np.arange(chunk - 1, -1, -1) / RATE for last in came])


@pytest.mark.parametrize("chunk", [1, 10, 50])
def test_jitter_and_hiccups_are_no_gaps(chunk: int) -> None:
    stamps = arrivals(chunk, 0.15, chunk)
    runs, _ = pulled(stamps, chunk)
    assert_array_equal(stood(runs), np.arange(len(stamps)))


def test_a_loss_larger_than_the_jitter_is_found_behind_it() -> None:
    stamps = arrivals(10, 0.01, 7)
    stamps[9000:] += 0.06
    runs, _ = pulled(stamps, 7)
    gaps = [(sum(first), second[0] - sum(first)) for first, second in pairwise(runs) if second[0] != sum(first)]
    assert len(gaps) == 1
    assert gaps[0][0] == 9000
    assert abs(gaps[0][1] - 60) <= 2


@pytest.mark.parametrize("ppm", [-4000.0, 4000.0])
def test_large_chunks_of_a_sender_off_its_rate_are_whole(ppm: float) -> None:
    stamps = stamped(np.arange(6000), ppm, chunk=250)
    assert_array_equal(stood(pulled(stamps, 2)[0]), np.arange(6000))


def test_a_clock_that_was_set_back_is_followed_by_what_was_waited() -> None:
    places = Places(RATE)
    before = np.arange(2000) / RATE + 5000.0
    assert places(before) == [(0, 2000)]
    assert places(np.arange(10) / RATE + 3.0, since=4.01) == [(6000, 10)]
    assert places(np.arange(10, 3000) / RATE + 3.0, since=0.01) == [(6010, 2990)]
    assert places(np.arange(10) / RATE + 1.0, since=0.01) == [(9000, 10)]  # set back, and nothing was waited for


def test_a_clock_that_was_set_back_within_one_chunk_is_followed() -> None:
    places = Places(RATE)
    assert places(np.arange(2000) / RATE + 5000.0) == [(0, 2000)]
    chunk = np.concatenate([np.arange(2000, 2008) / RATE + 5000.0, np.arange(2) / RATE + 3.0])
    assert places(chunk, since=4.01) == [(2000, 8), (6008, 2)]
    assert places(np.arange(2, 12) / RATE + 3.0, since=0.01) == [(6010, 10)]


def test_a_long_gap_is_told_at_once() -> None:
    places = Places(RATE)
    assert places(np.arange(30) / RATE) == [(0, 30)]
    assert places(np.arange(10_030, 10_040) / RATE) == [(10_030, 10)]
    assert places(np.arange(10_040, 10_050) / RATE) == [(10_040, 10)]
