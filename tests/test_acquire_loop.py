"""`loop:SOURCE`: the same round again, counted on, seams told."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from zeromag.acquire import loop
from zeromag.acquire.simulate import simulation
from zeromag.acquire.source import open_source
from zeromag.errors import InputError

SPEC = "sim:adult?rows=3&columns=3&seconds=0.25"


def test_a_round_comes_again_and_the_count_goes_on() -> None:
    looped = list(islice(open_source(f"loop:{SPEC}", block=60).blocks(), 12))  # 5 blocks a round, the last one short
    once = list(simulation(SPEC, block=60).blocks())
    assert [len(block) for block in looped[:5]] == [60, 60, 60, 60, 10]
    assert all(later.first == earlier.stop for earlier, later in pairwise(looped))
    for k, block in enumerate(looped):
        np.testing.assert_array_equal(block.data, once[k % 5].data)
    assert [block.first for block in looped if any(e.kind == "loop" for e in block.events)] == [250, 500]


def test_what_cannot_be_looped_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="there is no file"):
        open_source("loop:nothing.fif")
    monkeypatch.setattr(loop, "MOST_BYTES", 100_000)
    with pytest.raises(InputError, match="a loop can hold"):  # an endless one too
        open_source("loop:sim:adult", block=1000)
