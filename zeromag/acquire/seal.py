"""The seal of a recording: where everything in it lies, and a checksum of all but its samples, behind the HDF5.

    HDF5 | msgpack | its length (uint32) | its CRC-32 (uint32) | ZMSEALED

A recording of ours is read by its seal and never by the HDF5 library, which a file of unknown origin can crash or
hang: nothing of a file is believed before its checksum, nor before it fits into the file. Whoever changes a recording
through HDF5 breaks its seal.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from zeromag.errors import InputError

_MAGIC: Final = b"ZMSEALED"
_TAIL: Final = struct.Struct("<II8s")
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HEAD_BYTES: Final = 64
_PIECE: Final = 1 << 20
_COLUMN: Final = re.compile(r"[<|][iufS]\d{1,6}")


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: str  # as NumPy writes it
    width: int  # values a row, 0: one, and no axis for it


class Table(msgspec.Struct, array_like=True, frozen=True):
    """Rows of one kind that lie one behind the other."""

    offset: int
    rows: int
    columns: list[Column]


class Chunks(msgspec.Struct, array_like=True, frozen=True):
    """Rows in chunks of one length; where each chunk lies and how many bytes it takes, 0: all zeros, not stored."""

    rows: int  # of a chunk
    offsets: list[int]
    sizes: list[int]


class Seal(msgspec.Struct, frozen=True):
    """What a recording holds, and where."""

    rate: float  # Hz
    frame: str
    status: str
    stop: int
    rows: int
    counts: bool  # else float64
    channels: Table
    index: Table
    events: Table
    session: tuple[int, int]  # offset, bytes
    data: Chunks
    mask: Chunks | None = None
    crc: int = 0  # CRC-32 of all that comes before the seal and is no sample


def is_sealed(path: Path) -> bool:
    """Return whether a recording carries its seal, False when it is HDF5 that others wrote or wrote to.

    Raises
    ------
    InputError
        It is damaged, cut off or no recording at all.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, size - _TAIL.size))
        if file.read()[-len(_MAGIC) :] == _MAGIC:
            return True
    wanted = _hdf5_bytes(head)
    if wanted > size:
        raise InputError(
            f"{path} is cut off: {size:,} bytes of more than {wanted:,} are there, and where its samples "
            "belong stood in the rest: copy it again, or recover it from its journal"
        )
    if wanted != size:
        raise _not_whole(path)
    return False


def read_seal(path: Path) -> Seal:
    """Return the seal of a recording; all but its samples is then known to be what was written.

    Raises
    ------
    InputError
        There is no seal, or something behind it is not as it was.
    """
    with _opened(path) as file:
        end = os.fstat(file.fileno()).st_size - _TAIL.size
        try:
            file.seek(max(0, end))
            length, crc, magic = _TAIL.unpack(file.read())
            begin = end - length
            file.seek(max(0, begin))
            body = file.read(length)
            if magic != _MAGIC or begin < 0 or zlib.crc32(body) != crc:
                raise _not_whole(path)
            found = msgspec.msgpack.decode(body, type=Seal)
            if _rest(file, found, begin) != found.crc:
                raise _not_whole(path)
        except (struct.error, msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            raise _not_whole(path) from error
    return found


def write_seal(path: Path, seal: Seal) -> None:
    """Append the seal to a finished HDF5 file."""
    with path.open("r+b") as file:
        begin = file.seek(0, os.SEEK_END)
        body = msgspec.msgpack.encode(msgspec.structs.replace(seal, crc=_rest(file, seal, begin)))
        file.seek(begin)
        file.write(body + _TAIL.pack(len(body), zlib.crc32(body), _MAGIC))


def table(path: Path, where: Table) -> NDArray[Any]:
    """Return a table; raises ValueError when it is none or does not fit into the file."""
    if any(not _COLUMN.fullmatch(column.kind) or not 0 <= column.width <= 16 for column in where.columns):
        raise ValueError(f"columns of numbers or words were expected, got {where.columns}")
    kind = np.dtype([(c.name, c.kind, (c.width,)) if c.width else (c.name, c.kind) for c in where.columns])
    return np.frombuffer(stretch(path, where.offset, where.rows * kind.itemsize), dtype=kind)


def stretch(path: Path, offset: int, size: int) -> bytes:
    """Return some bytes of a file; raises ValueError when it does not have them."""
    with _opened(path) as file:
        if offset < 0 or size < 0 or offset + size > os.fstat(file.fileno()).st_size:
            raise ValueError(f"bytes {offset} to {offset + size} are not in the file")
        file.seek(offset)
        return file.read(size)


def table_of(offset: int | None, array: NDArray[Any]) -> Table:
    """Return where a table lies."""
    columns = []
    for name in array.dtype.names or ():
        kind = array.dtype[name]
        columns.append(Column(name, kind.base.str, kind.shape[0] if kind.shape else 0))
    return Table(offset or 0, len(array), columns)


def item_bytes(seal: Seal) -> int:
    """Return the bytes of one value."""
    return 4 if seal.counts else 8


def _rest(file: IO[bytes], seal: Seal, end: int) -> int:
    """Return the checksum of everything before `end` that is no sample."""
    crc = at = 0
    for start, stop in [*_samples(seal), (end, end)]:
        file.seek(at)
        while at < start:
            piece = file.read(min(_PIECE, start - at))
            if not piece:
                raise ValueError("the file ends before its samples")
            crc, at = zlib.crc32(piece, crc), at + len(piece)
        at = max(at, stop)
    return crc


def _samples(seal: Seal) -> Iterator[tuple[int, int]]:
    """Yield where samples lie, in the order of the file; what fills the last chunk is none."""
    row = seal.channels.rows * item_bytes(seal)
    for number, offset in sorted(enumerate(seal.data.offsets), key=lambda pair: pair[1]):
        used = min(seal.data.rows, seal.rows - number * seal.data.rows)
        if offset < 0 or used < 1:
            raise ValueError("a chunk lies outside the recording")
        yield offset, offset + used * row


def _hdf5_bytes(head: bytes) -> int:
    """Return how long a file says that it is, -1 when it is no HDF5."""
    if len(head) < _HEAD_BYTES or not head.startswith(_HDF5):
        return -1
    return int.from_bytes(head[40:48] if head[8] < 2 else head[28:36], "little")


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _not_whole(path: Path) -> InputError:
    return InputError(f"{path} is no whole recording of zeromag: recover it from its journal")
