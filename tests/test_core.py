"""The nouns that everything is built on refuse what is wrong and keep what they promise."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeromag.block import Block
from zeromag.event import Event
from zeromag.physics.arrays import grid
from zeromag.pipeline import Chain, run
from zeromag.ring import Ring
from zeromag.sensors import SensorArray
from zeromag.stage import Stage, Step


@dataclass(frozen=True, slots=True)
class Sum:
    """Adds up all samples since its start, so that a restart shows."""

    def start(self, head: Block) -> Step:
        total = np.zeros((1, len(head.sensors)))

        def step(block: Block) -> Block:
            out = total + np.cumsum(block.data, axis=0)
            total[:] = out[-1]
            return block.with_data(out)

        return step


def test_a_block_cannot_be_edited(block: Block) -> None:
    with pytest.raises(ValueError, match="read-only"):
        block.data[0, 0] = 1.0
    with pytest.raises(AttributeError):
        block.first = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.zeros((0, 3)), ValueError, "at least one sample"),
        (np.zeros(3), ValueError, "samples, channels"),
        (np.zeros((2, 3), dtype=np.float32), TypeError, "float64"),
        (np.zeros((2, 4)), ValueError, "4 columns"),
    ],
)
def test_a_block_refuses_what_it_cannot_hold(
    sensors: SensorArray, data: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Block(data=data, first=0, rate=1000.0, sensors=sensors)


def test_a_part_takes_its_own_samples_and_events(block: Block) -> None:
    marked = block.with_data(block.data, events=(Event(sample=105, kind="mark"), Event(sample=112, kind="mark")))
    part = marked.part(10, 20)
    assert (part.first, part.stop) == (110, 120)
    assert [event.sample for event in part.events] == [112]
    np.testing.assert_array_equal(part.data, block.data[10:])


def test_a_block_follows_only_the_sample_before_it(block: Block) -> None:
    first, second = block.part(0, 10), block.part(10, 20)
    assert second.follows(first)
    assert not first.follows(second)
    assert not first.follows(None)


def test_sensor_arrays_refuse_double_names() -> None:
    with pytest.raises(ValueError, match="twice: A"):
        SensorArray(names=("A", "A"), positions=np.zeros((2, 3)), axes=np.zeros((2, 3)))


def test_picking_keeps_rows_together(sensors: SensorArray) -> None:
    picked = sensors.pick([2, 0])
    assert picked.names == ("R1", "S1")
    assert picked.kinds == ("ref", "mag")
    np.testing.assert_array_equal(picked.positions, sensors.positions[[2, 0]])
    assert sensors.same_as(sensors.pick([0, 1, 2]))
    assert not sensors.same_as(picked.pick([1, 0]))


def test_a_chain_starts_anew_after_a_gap(block: Block) -> None:
    step = Chain((Sum(),)).start(block)
    whole = step(block).data
    later = Block(data=block.data, first=500, rate=block.rate, sensors=block.sensors)
    np.testing.assert_array_equal(step(later).data, whole)
    after = Block(data=block.data, first=520, rate=block.rate, sensors=block.sensors)
    assert not np.array_equal(step(after).data, whole)


def test_run_carries_every_block_to_every_sink(block: Block) -> None:
    seen: list[Block] = []
    also: list[int] = []
    run(
        [block.part(0, 7), block.part(7, 20)], Chain((Sum(),)), [seen.append, lambda cleaned: also.append(len(cleaned))]
    )
    np.testing.assert_allclose(np.concatenate([part.data for part in seen]), np.cumsum(block.data, axis=0), rtol=1e-12)
    assert also == [7, 13]
    assert isinstance(Chain(), Stage)


def test_a_ring_holds_the_newest_samples_in_order(sensors: SensorArray) -> None:
    ring = Ring(length=8, n_channels=3)
    rows = np.arange(60.0).reshape(20, 3)
    whole = Block(data=rows, first=0, rate=1000.0, sensors=sensors)
    for start, stop in ((0, 3), (3, 4), (4, 20)):
        ring(whole.part(start, stop))
    newest, first = ring.newest(5)
    assert first == 15
    np.testing.assert_array_equal(newest, rows[15:])


def test_a_ring_gives_a_span_of_its_past_and_every_so_many_rows(sensors: SensorArray) -> None:
    ring, rows = Ring(8, 3), np.arange(60.0).reshape(20, 3)
    for at in range(0, 20, 4):
        ring(Block(data=rows[at : at + 4], first=at, rate=1000.0, sensors=sensors))
    span, first = ring.newest(3, before=4)
    assert first == 13
    np.testing.assert_array_equal(span, rows[13:16])
    np.testing.assert_array_equal(ring.newest(6, every=2)[0], rows[14:20:2])
    short, first = ring.newest(8, before=5)  # older ones are forgotten
    assert first == 12
    np.testing.assert_array_equal(short, rows[12:15])


@given(
    length=st.integers(1, 30), cuts=st.lists(st.integers(1, 12), max_size=12), before=st.integers(0, 9),
    samples=st.integers(0, 40), every=st.integers(1, 7), joined_at=st.integers(0, 50),
)  # fmt: skip
def test_a_ring_gives_what_a_list_of_all_rows_would(
    length: int, cuts: list[int], before: int, samples: int, every: int, joined_at: int
) -> None:
    ring, before, sensors = Ring(length, 3), min(before, length), grid(1, 3, 0.04)
    rows = np.full((joined_at + sum(cuts), 3), np.nan)
    at = joined_at
    for count in cuts:
        rows[at : at + count] = np.arange(at, at + count)[:, None] * [1.0, 10.0, 100.0]
        ring(Block(data=rows[at : at + count].copy(), first=at, rate=1.0, sensors=sensors))
        at += count
    seen, first = ring.newest(samples, before=before, every=every, columns=[2, 0])
    assert first == ring.stop - before - min(samples, length - before)
    wanted = [rows[k] if k >= 0 else np.full(3, np.nan) for k in range(first, ring.stop - before, every)]
    np.testing.assert_array_equal(seen, np.array(wanted).reshape(-1, 3)[:, [2, 0]])
    assert seen.flags.c_contiguous


def test_a_gap_shows_in_a_ring_as_nan(sensors: SensorArray) -> None:
    ring = Ring(length=10, n_channels=3)
    ring(Block(data=np.ones((4, 3)), first=0, rate=1.0, sensors=sensors))
    ring(Block(data=np.full((2, 3), 2.0), first=7, rate=1.0, sensors=sensors))
    newest, first = ring.newest(9)
    assert first == 0
    np.testing.assert_array_equal(newest[:, 0], [1, 1, 1, 1, np.nan, np.nan, np.nan, 2, 2])
    with pytest.raises(ValueError, match="forward"):
        ring(Block(data=np.ones((4, 3)), first=0, rate=1.0, sensors=sensors))


def test_importing_zeromag_is_light() -> None:
    heavy = ("numba", "scipy", "mne", "PySide6", "h5py", "zmq")
    code = f"import sys, zeromag, zeromag.cli; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
