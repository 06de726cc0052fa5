"""Intervals within the tolerances of IEC 60601-2-25 where beginnings and ends are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.intervals import HEARTS, LIMITS, edged, errors, simulated

FEW = ("heart_rate=45", "heart_rate=80", "heart_rate=140", "qrs_stretch=1.5", "pr_shift_ms=-20", "st_level=0.1")


def within(off: np.ndarray) -> None:
    for (name, (mean, deviation)), column in zip(LIMITS.items(), off.T, strict=True):
        assert abs(column.mean()) <= mean, name
        assert column.std() <= deviation, name


def test_waves_with_edges_are_read_within_the_tolerances() -> None:
    within(errors([edged(seed) for seed in range(20)]))


def test_simulated_hearts_are_read_within_the_tolerances() -> None:
    off = errors([simulated(query) for query in FEW])
    within(off)
    # of a heart at 140 a minute the wave before P is the T of the beat before: it was taken for P once
    assert np.abs(off).max() <= 12.0


@pytest.mark.nightly
def test_every_simulated_heart_is() -> None:
    off = errors([simulated(query) for query in HEARTS])
    within(off)
    assert np.abs(off).max() <= 12.0
