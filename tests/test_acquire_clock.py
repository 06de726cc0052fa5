"""Clocks: a device that runs off its nominal rate is followed, whatever the bus and the wall clock do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.acquire_streams import Counter
from zeromag.acquire.clock import ClockFit
from zeromag.acquire.pace import paced


@pytest.mark.parametrize("ppm", [-4000.0, -100.0, 0.0, 35.0, 100.0])
def test_drift_is_known_within_two_ppm(ppm: float) -> None:
    rng = np.random.default_rng(5)
    clock = ClockFit(1000.0)
    worst = 0.0
    for stop in range(10, 120_000, 10):
        taken = stop / (1000.0 * (1 + ppm * 1e-6))
        late = 0.0005 + rng.exponential(0.002) + (0.05 if rng.random() < 0.01 else 0.0)  # a bus, and hiccups
        told = clock(stop, round((taken + late) * 1e9)) * 1e-9
        if stop > 60_000:
            worst = max(worst, abs(told - taken))
    assert clock.ppm == pytest.approx(ppm, abs=2.0)
    assert clock.measured_rate == pytest.approx(1000 * (1 + ppm * 1e-6), rel=2e-6)
    assert worst < 0.001  # though single arrivals are up to 60 ms late


def test_a_block_that_was_held_up_in_the_first_seconds_is_not_taken_later() -> None:
    clock = ClockFit(1000.0)
    for stop in range(10, 1510, 10):
        clock(stop, stop * 1_000_000 + 500_000)
    assert clock(1510, 5_000_000_000) == 1_510_500_000


def test_time_never_goes_back() -> None:
    rng = np.random.default_rng(6)
    clock = ClockFit(500.0)
    told = [clock(stop, round((stop / 500.0 + rng.exponential(0.01)) * 1e9)) for stop in range(5, 20_000, 5)]
    assert (np.diff(told) >= 0).all()


def test_pace_follows_an_injected_clock() -> None:
    now = [0]

    def sleep(seconds: float) -> None:
        now[0] += round(seconds * 1e9)

    stamps = [block.t_ns for block in paced(Counter(1000, gaps=[(500, 700)]).blocks(), 2.0, lambda: now[0], sleep)]
    firsts = [block.stop for block in Counter(1000, gaps=[(500, 700)]).blocks()]
    assert stamps == [round(stop * 1e9 / 2000) for stop in firsts]
    assert now[0] == stamps[-1]


def test_a_late_consumer_is_not_waited_for() -> None:
    now = [0]
    blocks = paced(Counter(100).blocks(), 1.0, lambda: now[0], lambda s: now.__setitem__(0, now[0] + round(s * 1e9)))
    first = next(blocks)
    now[0] += 10**9
    assert next(blocks).t_ns - first.t_ns == 10_000_000
    assert now[0] == 1_010_000_000
