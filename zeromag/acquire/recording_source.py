"""A recording (`*.zm.h5`) as a source, read lazily by its seal: no HDF5 library is near it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.layout import INDEX, events_of_table, sensors_of
from zeromag.acquire.recorded import Recorded
from zeromag.acquire.seal import Chunks, Seal, item_bytes, read_seal, stretch, table
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.event import Event
from zeromag.sensors import SensorArray

DAMAGED: Final = (
    OSError, LookupError, ValueError, ArithmeticError, RuntimeError, TypeError, AttributeError, zlib.error,
)  # fmt: skip
_MOST_INDEX: Final = 1 << 62  # of a sample: sums of two still fit

Rows = Callable[[int, int], tuple[NDArray[Any], NDArray[np.bool_] | None]]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything of a recording but its samples."""

    sensors: SensorArray
    rate: float  # Hz
    index: NDArray[np.void]
    scale: NDArray[np.float64]
    events: list[Event]
    status: str
    stop: int
    session: dict[str, Any]

    def __post_init__(self) -> None:
        row, first, samples = (self.index[name].astype(np.int64) for name in ("row", "first", "samples"))
        ends = np.cumsum(samples)
        orderly = len(row) and samples.min() > 0 and (row == ends - samples).all() and abs(first).max() < _MOST_INDEX
        if not orderly or (first[1:] < (first + samples)[:-1]).any() or self.stop < first[-1] + samples[-1]:
            raise ValueError("the index of blocks is not in order")
        if not 0 < self.rate < np.inf or self.stop > _MOST_INDEX or not isinstance(self.session, dict):
            raise ValueError(f"a rate and a session were expected, got {self.rate} Hz")

    def runs(self) -> list[tuple[int, int, int]]:
        """Return the stretches without a gap: first row, row after the last, first sample."""
        row, first, samples = (self.index[name].astype(np.int64) for name in ("row", "first", "samples"))
        breaks = np.flatnonzero(first[1:] != first[:-1] + samples[:-1]) + 1
        starts = [0, *breaks.tolist()]
        stops = [*breaks.tolist(), len(first)]
        return [
            (int(row[a]), int(row[b - 1] + samples[b - 1]), int(first[a])) for a, b in zip(starts, stops, strict=True)
        ]

    def blocks_of_rows(self, begin: int, end: int) -> tuple[int, int]:
        """Return the first block that some rows belong to, and the one after their last."""
        rows = self.index["row"]
        return int(np.searchsorted(rows, begin, side="right")) - 1, int(np.searchsorted(rows, end))


class Samples:
    """The open file of a recording: rows and masks, in any order."""

    def __init__(self, path: Path) -> None:
        self.path, self.seal = path, read_seal(path)
        self.about = _contents(path, self.seal)
        self._file: IO[bytes] = path.open("rb")
        self._unpacked: tuple[int, NDArray[np.bool_]] = (-1, np.zeros((0, 0), dtype=np.bool_))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def rows(self, begin: int, end: int) -> NDArray[Any]:
        """Return what is stored, (rows, channels) int32 or float64, unchecked."""
        kind = "<i4" if self.seal.counts else "<f8"
        out = np.empty((end - begin, len(self.about.sensors)), dtype=kind)
        if out.size:
            content, width = out.data.cast("B"), out.shape[1] * out.itemsize
            for number, low, high in _pieces(self.seal.data, begin, end):
                self._file.seek(self.seal.data.offsets[number] + (low - number * self.seal.data.rows) * width)
                into = content[(low - begin) * width : (high - begin) * width]
                if self._file.readinto(into) != len(into):  # type: ignore[attr-defined] # a BufferedReader
                    raise ValueError(f"the file ends before row {high}")
        return out

    def checked(self, begin: int, end: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return rows that are as they were recorded, and their mask if anything is masked.

        Raises
        ------
        InputError
            The checksum of a block is wrong.
        """
        index = self.about.index
        low, high = self.about.blocks_of_rows(begin, end)
        start, last = int(index["row"][low]), index[high - 1]
        try:
            rows = self.rows(start, int(last["row"]) + int(last["samples"]))
        except DAMAGED as error:
            raise damaged(self.path) from error
        if len(bad_blocks(rows, index[low:high])):
            raise damaged(self.path)
        mask = self.mask(begin, end)
        return rows[begin - start : end - start], mask if mask is not None and mask.any() else None

    def mask(self, begin: int, end: int) -> NDArray[np.bool_] | None:
        """Return what must not be used; None when the recording has no mask."""
        where = self.seal.mask
        if where is None:
            return None
        out = np.zeros((end - begin, len(self.about.sensors)), dtype=np.bool_)
        for number, low, high in _pieces(where, begin, end):
            if where.sizes[number]:
                top = number * where.rows
                out[low - begin : high - begin] = self._mask_chunk(where, number)[low - top : high - top]
        return out

    def _mask_chunk(self, where: Chunks, number: int) -> NDArray[np.bool_]:
        if self._unpacked[0] != number:
            packed = stretch(self.path, where.offsets[number], where.sizes[number])
            size = where.rows * len(self.about.sensors)
            content = zlib.decompressobj().decompress(packed, size)
            if len(content) != size:
                raise ValueError(f"a piece of mask holds {size} values, got {len(content)}")
            self._unpacked = (number, np.frombuffer(content, np.uint8).astype(np.bool_).reshape(where.rows, -1))
        return self._unpacked[1]


def contents(path: Path) -> Contents:
    """Return what a recording says of itself; raises InputError when it is none or damaged."""
    return _contents(path, read_seal(path))


def read_recording(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording that carries its seal."""
    about = contents(path)

    def chunks(samples: int) -> Generator[Block, None, None]:
        try:
            with Samples(path) as file:
                yield from blocks_of(about, file.checked, samples)
        except DAMAGED as error:
            raise damaged(path) from error

    return Recorded(about.sensors, about.rate, chunks, samples=about.stop, block=block, session=about.session)


def blocks_of(about: Contents, rows: Rows, samples: int) -> Generator[Block, None, None]:
    """Yield a recording in pieces of at most so many samples, none across a gap."""
    as_said = np.array_equal(about.scale, about.sensors.quantum)  # another program may have written another
    for begin, end, first in about.runs():
        for row in range(begin, end, samples):
            stop_row = min(row + samples, end)
            data, mask = rows(row, stop_row)
            at, stop = first + row - begin, first + stop_row - begin
            events = tuple(event for event in about.events if at <= event.sample < stop and event.kind != "gap")
            if data.dtype == np.int32 and as_said:
                yield Block.of_counts(data, at, about.rate, about.sensors, mask=mask, events=events)
            else:
                values = np.ascontiguousarray(data * about.scale if data.dtype == np.int32 else data, dtype=np.float64)
                yield Block(values, at, about.rate, about.sensors, mask=mask, events=events)


def bad_blocks(rows: NDArray[Any], part: NDArray[np.void]) -> list[int]:
    """Return which blocks of a part of the index are not what was recorded; `rows` are theirs."""
    content, width = rows.data.cast("B"), rows.itemsize * rows.shape[1]
    starts = ((part["row"] - part["row"][0]) * width).tolist()
    sizes = (part["samples"].astype(np.int64) * width).tolist()
    crcs = [zlib.crc32(content[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    bad: list[int] = np.flatnonzero(np.array(crcs, dtype=np.uint32) != part["crc"]).tolist()
    return bad


def damaged(path: Path) -> InputError:
    """Return the error of a recording whose samples are not as they were."""
    return InputError(f"{path} is damaged: `zeromag verify` names the first bad block")


def _contents(path: Path, seal: Seal) -> Contents:
    try:
        channels, index = table(path, seal.channels), table(path, seal.index)
        if index.dtype != INDEX:
            raise ValueError(f"an index of {INDEX} was expected, got {index.dtype}")
        sensors = sensors_of(channels, seal.frame)
        about = Contents(
            sensors=sensors,
            rate=seal.rate,
            index=index,
            scale=sensors.quantum if seal.counts else np.ones(len(sensors)),
            events=events_of_table(table(path, seal.events)),
            status=seal.status,
            stop=seal.stop,
            session=json.loads(stretch(path, *seal.session)),
        )
        _fits(seal, about, path)
    except DAMAGED as error:
        raise InputError(f"{path} is no whole recording of zeromag: recover it from its journal") from error
    return about


def _fits(seal: Seal, about: Contents, path: Path) -> None:
    """Raise ValueError unless every row of the index is stored somewhere in the file."""
    size, n = path.stat().st_size, len(about.sensors)
    if int(about.index["samples"].sum()) != seal.rows:
        raise ValueError("the index and the samples are not of one length")
    for chunks in (seal.data, *([] if seal.mask is None else [seal.mask])):
        count = -(-seal.rows // chunks.rows) if chunks.rows > 0 else 0
        if not 0 < count == len(chunks.offsets) == len(chunks.sizes) or chunks.rows * n > 1 << 28:
            raise ValueError("the chunks are not those of so many rows")
        at = 0
        for offset, length in sorted(zip(chunks.offsets, chunks.sizes, strict=True)):
            if length and (length < 0 or offset < at or offset + length > size):
                raise ValueError("a chunk lies outside the file, or over another")
            at = max(at, offset + length)
    if min(seal.data.sizes) < seal.data.rows * n * item_bytes(seal):
        raise ValueError("a chunk is too small for its rows")


def _pieces(chunks: Chunks, begin: int, end: int) -> Generator[tuple[int, int, int], None, None]:
    """Yield the chunks that hold some rows: number, first row and row after the last of them."""
    for number in range(begin // chunks.rows, -(-end // chunks.rows)):
        yield number, max(begin, number * chunks.rows), min(end, (number + 1) * chunks.rows)
