"""What travels between the processes, to frames and back; no I/O here."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.counts import counts_of
from zeromag.acquire.frame import (
    BLOCK,
    DESCRIPTION,
    END,
    FLOAT64,
    HAS_MASK,
    HEADER_BYTES,
    INT32,
    RESULT,
    FrameError,
    Header,
    check,
    pack,
)
from zeromag.acquire.message import Description, End, Message, Result, Stamp
from zeromag.block import Block
from zeromag.event import Event
from zeromag.sensors import Kind, SensorArray

_ARRAY_TYPES: Final = frozenset({"<f8", "<f4", "<i8", "<i4", "<i2", "<u4", "<u2", "|u1", "|i1", "|b1"})


class _SensorsPart(msgspec.Struct):
    names: list[str]
    kinds: list[str]
    status: list[str]
    coils: list[int]
    frame: str
    positions: bytes
    axes: bytes
    limit: bytes


class _DescriptionPart(msgspec.Struct):
    rate: float
    sensors: _SensorsPart
    session: dict[str, Any]
    replay: str
    version: str
    source: str = ""
    control: str = ""
    recording: bool = False


class _ArrayPart(msgspec.Struct):
    dtype: str
    shape: list[int]
    data: memoryview  # of the array, or of the frame


class _ResultPart(msgspec.Struct):
    name: str
    fields: dict[str, Any]
    arrays: dict[str, _ArrayPart]


class _EndPart(msgspec.Struct):
    samples: int
    reason: str


class _EventPart(msgspec.Struct, array_like=True):
    sample: int
    kind: str
    samples: int
    channel: str
    why: str


_INT32, _FLOAT64 = np.dtype("<i4"), np.dtype("<f8")
_pack = msgspec.msgpack.Encoder().encode
_description = msgspec.msgpack.Decoder(_DescriptionPart)
_result = msgspec.msgpack.Decoder(_ResultPart)
_end = msgspec.msgpack.Decoder(_EndPart)
_events = msgspec.msgpack.Decoder(list[_EventPart])


def encode_block(block: Block, stamp: Stamp) -> bytes:
    """Return the frame of a block: int32 counts where they are exact, else float64."""
    counts = counts_of(block.data, block.sensors) if block.counts is None else block.counts
    data = np.ascontiguousarray(block.data, dtype="<f8") if counts is None else counts
    mask = b"" if block.mask is None else np.packbits(block.mask, bitorder="little").tobytes()
    events = [_EventPart(e.sample, e.kind, e.samples, e.channel, e.why) for e in block.events] if block.events else ()
    samples, channels = data.shape
    header = Header(
        BLOCK, stamp.stream, stamp.epoch, stamp.sequence, block.first, block.t_ns, stamp.wall_ns, samples, channels,
        FLOAT64 if counts is None else INT32, 0 if block.mask is None else HAS_MASK,
    )  # fmt: skip
    return pack(header, data.data.cast("B"), mask, _pack(events) if events else b"")


def encode_description(description: Description, stamp: Stamp) -> bytes:
    """Return the frame of a description; its one row of samples is the quanta: counts need no msgpack to be read."""
    sensors = description.sensors
    part = _DescriptionPart(
        rate=description.rate,
        sensors=_SensorsPart(
            names=list(sensors.names), kinds=list(sensors.kinds), status=list(sensors.status),
            coils=list(sensors.coils), frame=sensors.frame, positions=_bytes(sensors.positions),
            axes=_bytes(sensors.axes), limit=_bytes(sensors.limit),
        ),
        session=description.session, replay=description.replay, version=description.version,
        source=description.source, control=description.control, recording=description.recording,
    )  # fmt: skip
    header = Header(
        DESCRIPTION, stamp.stream, stamp.epoch, stamp.sequence, wall_ns=stamp.wall_ns, samples=1,
        channels=len(sensors), dtype=FLOAT64,
    )  # fmt: skip
    return pack(header, _bytes(sensors.quantum), appendix=_pack(part))


def encode_result(result: Result, stamp: Stamp) -> bytes:
    """Return the frame of a result."""
    arrays = {name: _array_part(name, array) for name, array in result.arrays.items()}
    body = _pack(_ResultPart(result.name, result.fields, arrays))
    return pack(Header(RESULT, stamp.stream, stamp.epoch, stamp.sequence, wall_ns=stamp.wall_ns), appendix=body)


def encode_end(end: End, stamp: Stamp) -> bytes:
    """Return the frame that closes a stream."""
    header = Header(END, stamp.stream, stamp.epoch, stamp.sequence, first=end.samples, wall_ns=stamp.wall_ns)
    return pack(header, appendix=_pack(_EndPart(end.samples, end.reason)))


def decode(frame: bytes, description: Description | None = None, header: Header | None = None) -> Message:
    """Return what a frame holds; a block needs the `description` of its stream.

    `header` is what `check` gave, when the frame was checked before.

    Raises
    ------
    FrameError
        The frame is malformed, of another version, of a wrong CRC or of an absurd size.
    """
    header = header or check(frame)
    try:
        if header.kind == BLOCK:
            return _block(frame, header, description)
        body = memoryview(frame)[HEADER_BYTES + header.size - header.appendix :]
        if header.kind == DESCRIPTION:
            return _decode_description(frame, header, body)
        if header.kind == RESULT:
            part = _result.decode(body)
            return Result(part.name, part.fields, {name: _array(array) for name, array in part.arrays.items()})
        end = _end.decode(body)
        return End(end.samples, end.reason)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError(f"frame {header.sequence} has a right checksum but no sense: {error}") from error


def samples_of(frame: bytes, header: Header) -> NDArray[Any]:
    """Return the samples as they travelled: (n_samples, n_channels) int32 counts or float64, read-only."""
    kind = _INT32 if header.dtype == INT32 else _FLOAT64
    return np.ndarray((header.samples, header.channels), kind, frame, HEADER_BYTES)


def mask_of(frame: bytes, header: Header) -> NDArray[np.bool_] | None:
    """Return the mask of a block's frame, if it has one."""
    if not header.flags & HAS_MASK:
        return None
    count = header.samples * header.channels
    bits = np.frombuffer(frame, dtype=np.uint8, count=header.mask_bytes, offset=HEADER_BYTES + header.data_bytes)
    flat = np.unpackbits(bits, count=count, bitorder="little").astype(np.bool_)
    return flat.reshape(header.samples, header.channels)


def events_of(frame: bytes, header: Header) -> tuple[Event, ...]:
    """Return the events of a block's frame."""
    if not header.appendix:
        return ()
    parts = _events.decode(frame[HEADER_BYTES + header.size - header.appendix :])
    return tuple(Event(part.sample, part.kind, part.samples, part.channel, part.why) for part in parts)


def _block(frame: bytes, header: Header, description: Description | None) -> Block:
    if description is None:
        raise FrameError(f"block {header.sequence} came before the description of its stream")
    if header.channels != len(description.sensors):
        raise FrameError(f"a block of {len(description.sensors)} channels was announced, got {header.channels}")
    make = Block.of_counts if header.dtype == INT32 else Block
    return make(
        samples_of(frame, header), header.first, description.rate, description.sensors,
        mask=mask_of(frame, header) if header.flags else None,
        events=events_of(frame, header) if header.appendix else (), t_ns=header.t_ns,
    )  # fmt: skip


def _decode_description(frame: bytes, header: Header, body: memoryview) -> Description:
    part = _description.decode(body)
    n = len(part.sensors.names)
    if header.dtype != FLOAT64 or header.samples != 1 or header.channels != n:
        raise ValueError(f"a description of {n} channels holds one row of quanta, got {header.channels}")
    if not 0 < part.rate < float("inf"):
        raise ValueError(f"rate must be above 0 Hz, got {part.rate}")
    sensors = SensorArray(
        names=tuple(part.sensors.names), positions=_floats(part.sensors.positions).reshape(-1, 3),
        axes=_floats(part.sensors.axes).reshape(-1, 3), kinds=_kinds(part.sensors.kinds),
        status=tuple(part.sensors.status), quantum=samples_of(frame, header)[0].astype(np.float64),
        limit=_floats(part.sensors.limit), coils=tuple(part.sensors.coils), frame=part.sensors.frame,
    )  # fmt: skip
    return Description(
        sensors, part.rate, part.session, part.replay, part.version, part.source, part.control, part.recording
    )


def _kinds(names: list[str]) -> tuple[Kind, ...]:
    return tuple(msgspec.convert(names, list[Kind]))


def _bytes(values: NDArray[np.float64]) -> bytes:
    return values.astype("<f8", copy=False).tobytes()


def _floats(data: bytes) -> NDArray[np.float64]:
    return np.frombuffer(data, dtype="<f8").astype(np.float64)


def _array_part(name: str, array: NDArray[Any]) -> _ArrayPart:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if little.dtype.str not in _ARRAY_TYPES:
        raise TypeError(f"array {name!r} of a result must hold numbers or booleans, got {array.dtype}")
    return _ArrayPart(little.dtype.str, list(array.shape), little.reshape(-1).view(np.uint8).data)


def _array(part: _ArrayPart) -> NDArray[Any]:
    if part.dtype not in _ARRAY_TYPES:
        raise ValueError(f"an array of type {part.dtype!r} is not allowed")
    array: NDArray[Any] = np.frombuffer(part.data, dtype=part.dtype).reshape(part.shape).copy()  # aligned
    array.setflags(write=False)
    return array
