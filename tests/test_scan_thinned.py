"""A fast stream thinned for its beats: nothing late, nothing folded back, cut as one likes, and the same beats."""

from __future__ import annotations

import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.physics.arrays import grid
from zeromag.scan.hearts import Thinned, beating
from zeromag.scan.scan import Scan
from zeromag.scan.thinned import REACH, Thinning, factor_for
from zeromag.session import Session

RATE, FACTOR = 10_000.0, 10


def thinned(data: np.ndarray, edges: list[int], mask: np.ndarray | None = None, first: int = 0) -> list[Block]:
    thin, array = Thinning(FACTOR), grid(1, data.shape[1])
    whole = Block(data, first, RATE, array, mask)
    parts = [whole.part(a, b) for a, b in zip([0, *edges], [*edges, len(data)], strict=True)]
    return [block for part in parts if (block := thin(part)) is not None]


def sines(*frequencies: float, samples: int = 4000, first: int = 0) -> np.ndarray:
    time = (first + np.arange(samples)) / RATE
    return np.cos(2 * np.pi * np.array(frequencies) * time[:, None] + 0.3)


def test_the_heart_passes_in_phase_and_nothing_folds_back() -> None:
    (block,) = thinned(sines(1.0, 40.0, 100.0, 900.0, 1020.0, first=7), [], first=7)
    assert block.rate == 1000.0
    wanted = sines(1.0, 40.0, 100.0, samples=block.stop * FACTOR)[block.first * FACTOR :: FACTOR]
    np.testing.assert_allclose(block.data[:, :3], wanted, atol=1e-3)
    assert np.abs(block.data[:, 3:]).max() < 1e-3  # would stand at 100 and 20 Hz


def test_any_cut_gives_the_same_bits() -> None:
    rng = np.random.default_rng(2)
    data, mask = rng.normal(size=(1500, 3)), rng.random((1500, 3)) < 0.001
    (whole,) = thinned(data, [], mask, first=123)
    for cuts in ([1, 2, 3, 700], sorted(rng.choice(np.arange(1, 1500), 60, replace=False).tolist())):
        parts = thinned(data, cuts, mask, first=123)
        np.testing.assert_array_equal(np.concatenate([part.data for part in parts]), whole.data)
        np.testing.assert_array_equal(np.concatenate([part.bad() for part in parts]), whole.bad())
        assert [part.first for part in parts[1:]] == [part.stop for part in parts[:-1]]
    assert parts[0].first == whole.first == Thinning(FACTOR).head(Block(data, 123, RATE, grid(1, 3))).first


def test_any_number_of_channels_gives_the_same_bits() -> None:
    data = np.random.default_rng(3).normal(size=(700, 37))  # two times sixteen together, and five
    (whole,) = thinned(data, [], first=11)
    for column in (0, 15, 16, 31, 32, 36):
        (alone,) = thinned(data[:, [column]], [], first=11)
        np.testing.assert_array_equal(alone.data[:, 0], whole.data[:, column])


def test_what_is_made_of_a_bad_sample_is_bad_and_a_gap_begins_anew() -> None:
    mask = np.zeros((2000, 2), dtype=np.bool_)
    mask[1000, 1] = True
    (block,) = thinned(np.ones((2000, 2)), [], mask)
    bad = block.first + np.flatnonzero(block.bad()[:, 1])
    assert bad.tolist() == list(range(100 - REACH, 100 + REACH + 1))
    assert not block.bad()[:, 0].any()
    thin, array = Thinning(FACTOR), grid(1, 1)
    thin(Block(np.full((500, 1), 5.0), 0, RATE, array))
    after = thin(Block(np.ones((500, 1)), 600, RATE, array))
    assert after is not None
    np.testing.assert_allclose(after.data, 1.0)  # of the five before the gap there is nothing


@pytest.mark.parametrize(
    ("rate", "low_pass", "factor"), [(1e3, 100, 1), (2e3, 100, 2), (1e4, 100, 10), (1e4, 400, 3), (1e4, 0, 1)]
)
def test_as_many_samples_stay_as_the_low_pass_needs(rate: float, low_pass: float, factor: int) -> None:
    assert factor_for(rate, low_pass) == factor


def test_beats_and_averages_of_a_fast_stream_are_those_of_all_its_samples() -> None:
    source = simulation("sim:adult?rows=3&columns=3&rate=4000&seconds=7&references=0&heart_rate=90", block=400)
    session = Session()
    scan, blocks = None, []
    for block in source.blocks():
        scan = scan or Scan(block, session)
        blocks.append(scan(block).cleaned)
    assert scan is not None
    hearts = beating(blocks[0], session)
    assert isinstance(hearts, Thinned)
    outcome = scan.finish()
    whole = beating(blocks[0], session.changed(**{"clean.low_pass": 0}))
    all_beats = [beat for block in blocks for beat in whole(block).done] + list(whole.finish().done)
    assert len(outcome.beats) == len(all_beats) >= 8
    apart = np.array([one.sample - other.sample for one, other in zip(outcome.beats, all_beats, strict=True)])
    assert np.abs(apart - np.median(apart)).max() < 0.5e-3 * 4000
    assert abs(np.median(apart)) < 1e-3 * 4000
    thin, full = outcome.averages[0], whole.averages()[0]
    assert (thin.rate, full.rate) == (1000.0, 4000.0)
    shift = np.median(apart) / 4000
    wanted = np.array([np.interp(thin.time + shift, full.time, column) for column in full.wave.T]).T
    inner = slice(5, -5)
    assert np.abs(thin.wave - wanted)[inner].max() < 0.02 * np.abs(full.wave).max()
