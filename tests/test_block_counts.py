"""Counts that a block brings along are those of its values, or there are none: they are recorded as they stand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import QUANTUM, array
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.counts import counted
from zeromag.acquire.frame import FLOAT64, INT32, check
from zeromag.acquire.gap import after_gap
from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.message import Stamp
from zeromag.acquire.source import open_source
from zeromag.acquire.steady import Steady
from zeromag.acquire.wire import encode_block, samples_of
from zeromag.block import Block, joined
from zeromag.event import Event

SENSORS = array(5)
COUNTS = np.random.default_rng(3).integers(-(2**31) + 1, 2**31, (10, 5)).astype(np.int32)


def block(**more: Any) -> Block:
    return Block.of_counts(COUNTS.copy(), 100, 1000.0, SENSORS, **more)


def other_scale(given: Block) -> Block:
    return replace(given, sensors=array(5, 2 * QUANTUM))


def in_other_columns(given: Block) -> Block:
    steady = Steady(SENSORS.pick([4, 2, 0]), 1000.0, lambda _: None)
    found = steady(given)
    assert found is not None
    return found


PATHS: dict[str, Callable[[Block], Block]] = {
    "as it is": lambda given: given,
    "part": lambda given: given.part(3, 8),
    "amended": lambda given: given.amended(first=7, t_ns=9, events=(Event(8, "mark"),)),
    "part of what was amended": lambda given: given.amended(first=0).part(1, 2),
    "after a gap": lambda given: after_gap(given, 50, "lost"),
    "other values": lambda given: given.with_data(given.data + QUANTUM),
    "replaced values": lambda given: replace(given, data=given.data[::-1].copy()),
    "other scale": other_scale,
    "joined": lambda given: joined([given, given.amended(first=given.stop)]),
    "fewer channels": in_other_columns,
    "masked": lambda given: replace(given, mask=np.ones((10, 5), dtype=np.bool_)),
    "looked for": lambda given: counted(replace(given)),
}
KEEP = {"as it is", "part", "amended", "part of what was amended", "after a gap", "looked for"}


@pytest.mark.parametrize("way", PATHS)
def test_counts_go_with_their_values_and_leave_with_them(way: str) -> None:
    given = PATHS[way](block())
    assert (given.counts is not None) == (way in KEEP)
    if given.counts is not None:
        assert (given.counts * given.sensors.quantum).tobytes() == given.data.tobytes()
    frame = encode_block(given, Stamp(1, 2, 3))
    header = check(frame)
    sent = samples_of(frame, header)
    assert_array_equal(sent * given.sensors.quantum if header.dtype == INT32 else sent, given.data)


def test_a_block_of_counts_holds_what_they_mean_and_cannot_be_written_into() -> None:
    made = block(events=(Event(103, "mark"),), t_ns=5)
    assert_array_equal(made.data, COUNTS * QUANTUM)
    assert (made.first, made.t_ns, made.events) == (100, 5, (Event(103, "mark"),))
    assert made.counts is not None
    with pytest.raises(ValueError, match="read-only"):
        made.counts[0, 0] = 1


def test_what_are_no_counts_of_the_array_is_refused() -> None:
    with pytest.raises(TypeError, match="counts are int32, got int64"):
        Block.of_counts(COUNTS.astype(np.int64), 0, 1000.0, SENSORS)  # type: ignore[arg-type]
    for wrong in (COUNTS[:, :3], COUNTS[:, :1], COUNTS[0], COUNTS[:0]):
        with pytest.raises(ValueError, match="got "):
            Block.of_counts(wrong, 0, 1000.0, SENSORS)
    for odd in (0.0, -QUANTUM, np.nan, np.inf):
        quantum = np.full(5, QUANTUM)
        quantum[2] = odd
        with pytest.raises(ValueError, match="a quantum above 0 of every channel"):
            Block.of_counts(COUNTS, 0, 1000.0, replace(SENSORS, quantum=quantum))


def test_counts_are_found_where_they_are_exact_and_nowhere_else() -> None:
    values = COUNTS * QUANTUM
    found = counted(Block(values, 0, 1000.0, SENSORS, t_ns=4))
    assert_array_equal(found.counts, COUNTS)
    assert found.t_ns == 4
    odd = values.copy()
    odd[4, 1] = np.nan
    assert counted(Block(odd, 0, 1000.0, SENSORS)).counts is None


def test_simulated_and_recorded_blocks_bring_their_counts(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    summary = acquire(
        "sim:adult?rows=2&columns=2&seconds=1.7",
        record=tmp_path, pace=False, stop=threading.Event(), announce=told.append, session={},
    )  # fmt: skip
    kinds = {header.dtype for header, _ in JournalFile(Path(summary["journal"])).frames() if header.samples > 1}
    assert kinds == {INT32}
    simulated, *recorded = (
        list(open_source(str(path), block=7).blocks())
        for path in ("sim:adult?rows=2&columns=2&seconds=1.7", summary["recording"], summary["journal"])
    )
    assert simulated[-1].stop == 1700
    for blocks in (simulated, *recorded):
        assert all(piece.counts is not None for piece in blocks)
        assert_array_equal(np.concatenate([piece.data for piece in blocks]), joined(simulated).data)


def test_values_that_are_no_counts_stay_floats() -> None:
    values = np.random.default_rng(0).normal(0, 1e-12, (10, 5))
    assert check(encode_block(Block(values, 0, 1000.0, SENSORS), Stamp(1, 2, 3))).dtype == FLOAT64
