"""Frames: what goes in comes out bit for bit, and nothing else is ever taken for a frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tests.acquire_streams import QUANTUM, array, counted
from zeromag.acquire.frame import FLOAT64, HEADER_BYTES, INT32, FrameError, check, read_header
from zeromag.acquire.message import Description, End, Result, Stamp
from zeromag.acquire.wire import decode, encode_block, encode_description, encode_end, encode_result
from zeromag.block import Block
from zeromag.event import Event

SENSORS = array(5)
DESCRIPTION = Description(SENSORS, 1000.0, {"source": "sim:adult"}, "tcp://127.0.0.1:1", "0.1.0", "sim:adult")
STAMP = Stamp(stream=2**63 + 5, epoch=1_700_000_000_000_000_000, sequence=7, wall_ns=42)


def block(data: np.ndarray, **more: object) -> Block:
    return Block(np.ascontiguousarray(data), 100, 1000.0, SENSORS, **more)  # type: ignore[arg-type]


def test_counts_travel_as_int32_and_come_back_bit_for_bit() -> None:
    sent = block(counted(100, 110, 5), t_ns=12345)
    frame = encode_block(sent, STAMP)
    header = check(frame)
    assert (header.dtype, header.size) == (INT32, 10 * 5 * 4)
    assert (header.stream, header.epoch, header.sequence, header.wall_ns) == (2**63 + 5, STAMP.epoch, 7, 42)
    got = decode(frame, DESCRIPTION)
    assert isinstance(got, Block)
    assert_array_equal(got.data.view(np.int64), sent.data.view(np.int64))
    assert (got.first, got.rate, got.t_ns, got.mask, got.events) == (100, 1000.0, 12345, None, ())


@pytest.mark.parametrize("odd", [QUANTUM / 3, np.nan, np.inf, -0.0, 2**31 * QUANTUM, -3e300])
def test_what_is_no_count_travels_as_float64(odd: float) -> None:
    data = counted(0, 10, 5)
    data[3, 2] = odd
    frame = encode_block(block(data), STAMP)
    assert check(frame).dtype == FLOAT64
    got = decode(frame, DESCRIPTION)
    assert isinstance(got, Block)
    assert_array_equal(got.data.view(np.int64), data.view(np.int64))


@given(
    counts=st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=5, max_size=5),
    quantum=st.floats(1e-18, 1e-6),
)
def test_any_count_times_any_quantum_is_exact(counts: list[int], quantum: float) -> None:
    sensors = array(5, quantum)
    data = np.array([counts]) * sensors.quantum
    frame = encode_block(Block(data, 0, 1000.0, sensors), STAMP)
    got = decode(frame, Description(sensors, 1000.0))
    assert isinstance(got, Block)
    assert_array_equal(got.data, data)


def test_mask_and_events_travel_along() -> None:
    mask = np.zeros((10, 5), dtype=np.bool_)
    mask[2, 3] = mask[9, 4] = True
    events = (Event(103, "channel/jumping", 4, "S03", "9 steps of 25 pT"), Event(90, "gap", 10))
    got = decode(encode_block(block(counted(100, 110, 5), mask=mask, events=events), STAMP), DESCRIPTION)
    assert isinstance(got, Block)
    assert got.mask is not None
    assert_array_equal(got.mask, mask)
    assert got.events == events


def test_description_result_and_end_travel() -> None:
    got = decode(encode_description(DESCRIPTION, STAMP))
    assert isinstance(got, Description)
    assert got.sensors.same_as(SENSORS)
    assert (got.rate, got.session, got.replay) == (1000.0, {"source": "sim:adult"}, "tcp://127.0.0.1:1")
    arrays = {
        "bz": np.arange(6, dtype=np.float32).reshape(2, 3),
        "mask": np.array([True, False]),
        "none": np.zeros((0, 2)),
        "one": np.array(2.5),
        "every_second": np.arange(12.0).reshape(3, 4)[:, ::2],
        "turned": np.arange(12).reshape(3, 4).T,
    }
    sent = Result("map", {"sample": 5, "rr_s": None, "deep": {"x": [1, 2.5]}}, arrays)
    result = decode(encode_result(sent, STAMP))
    assert isinstance(result, Result)
    assert (result.name, result.fields) == ("map", sent.fields)
    for name, values in arrays.items():
        assert_array_equal(result.arrays[name], values)
        assert result.arrays[name].dtype == values.dtype
        assert result.arrays[name].flags.aligned  # whatever stood before it in the frame
        assert not result.arrays[name].flags.writeable
    assert decode(encode_end(End(1000, "stopped"), STAMP)) == End(1000, "stopped")


def test_objects_are_never_packed() -> None:
    with pytest.raises(TypeError, match="numbers or booleans"):
        encode_result(Result("x", {}, {"o": np.array([{}], dtype=object)}), STAMP)


def test_a_block_needs_its_description() -> None:
    frame = encode_block(block(counted(100, 110, 5)), STAMP)
    with pytest.raises(FrameError, match="before the description"):
        decode(frame)
    with pytest.raises(FrameError, match="4 channels"):
        decode(frame, Description(array(4), 1000.0))


@pytest.mark.parametrize("cut", [0, 1, 79, 80, 100, -1])
def test_a_cut_frame_is_refused(cut: int) -> None:
    frame = encode_block(block(counted(100, 110, 5)), STAMP)
    with pytest.raises(FrameError):
        decode(frame[:cut], DESCRIPTION)


def test_every_single_flipped_bit_is_found() -> None:
    frame = encode_block(block(counted(100, 102, 5), events=(Event(101, "mark"),)), STAMP)
    for at in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[at // 8] ^= 1 << (at % 8)
        with pytest.raises(FrameError):
            decode(bytes(broken), DESCRIPTION)


def test_another_version_says_so() -> None:
    frame = bytearray(encode_end(End(1), STAMP))
    frame[4] = 2
    with pytest.raises(FrameError, match="version 1, got version 2"):
        decode(bytes(frame))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode(data, DESCRIPTION)


def test_an_absurd_size_is_refused_from_the_header_alone() -> None:
    frame = bytearray(encode_block(block(counted(100, 110, 5)), STAMP))
    frame[56:64] = (2**32 - 1).to_bytes(4, "little") * 2
    with pytest.raises(FrameError, match="at most"):
        read_header(bytes(frame[:HEADER_BYTES]))
