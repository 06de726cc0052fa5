"""Checks every block of a recording or journal against its checksum."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal_file import JournalFile
from zeromag.errors import InputError

_ROWS: Final = 1 << 15


def verify(path: Path, kind: str = "") -> list[str]:
    """Return what is wrong, the first bad block first; empty when every block is as it was recorded.

    `kind` is the ending to go by when the name has another.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}")
    name = kind or path.name
    if name.endswith(".zmj"):
        return _journal(path)
    if name.endswith(".zm.h5"):
        return _recording(path)
    raise InputError(f"verify checks recordings (.zm.h5) and journals (.zmj), got {path}")


def _journal(path: Path) -> list[str]:
    journal = JournalFile(path)
    problems: list[str] = []
    expected = 0
    for header, _ in journal.frames():
        if header.kind == BLOCK and header.sequence > expected:
            problems.append(f"frames {expected} to {header.sequence - 1} are missing")
        expected = header.sequence + (header.kind == BLOCK)
    torn = [f"{journal.torn} bytes at the end belong to a frame that was never finished"] if journal.torn else []
    return [*journal.damaged, *problems, *torn]


def _recording(path: Path) -> list[str]:
    from zeromag.acquire.recording_source import HDF5_FAILS, contents

    index = contents(path).index
    try:
        return _checked(path, index)
    except HDF5_FAILS as error:
        raise InputError(
            f"{path} is damaged so that its samples cannot be found: recover it from its journal"
        ) from error


def _checked(path: Path, index: Any) -> list[str]:
    import h5py

    from zeromag.acquire.recording_source import HDF5_FAILS

    problems: list[str] = []
    with h5py.File(path, "r") as file:
        data = file["raw/data"]
        if int(index["samples"].sum()) != data.shape[0]:
            problems.append(f"the index counts {int(index['samples'].sum())} samples, the data holds {data.shape[0]}")
        with ThreadPoolExecutor(1, "read") as ahead:  # the next rows are read while these are checked
            pieces = _pieces(index)
            coming = [ahead.submit(_rows, data, index, *pieces[0])] if pieces else []
            for number, (start, stop) in enumerate(pieces):
                read = coming.pop()
                coming += [ahead.submit(_rows, data, index, *piece) for piece in pieces[number + 1 : number + 2]]
                try:
                    problems += _bad_blocks(read.result(), index, start, stop)
                except HDF5_FAILS:  # a chunk's own checksum: look block by block
                    problems += _one_by_one(data, index, start, stop)
    return problems


def _pieces(index: Any) -> list[tuple[int, int]]:
    """Return runs of blocks of about as many rows as are read at once."""
    at, pieces = 0, []
    while at < len(index):
        stop = at + int(np.searchsorted(index["row"][at:], index["row"][at] + _ROWS))
        pieces.append((at, max(stop, at + 1)))
        at = pieces[-1][1]
    return pieces


def _one_by_one(data: Any, index: Any, start: int, stop: int) -> list[str]:
    from zeromag.acquire.recording_source import HDF5_FAILS

    bad = []
    for number in range(start, stop):
        try:
            bad += _bad_blocks(_rows(data, index, number, number + 1), index, number, number + 1)
        except HDF5_FAILS:
            bad.append(_named(index, number, "cannot be read"))
    return bad


def _rows(data: Any, index: Any, start: int, stop: int) -> NDArray[Any]:
    rows: NDArray[Any] = data[int(index["row"][start]) : int(index["row"][stop - 1] + index["samples"][stop - 1])]
    return rows


def _bad_blocks(rows: NDArray[Any], index: Any, start: int, stop: int) -> list[str]:
    part = index[start:stop]
    content, width = rows.data.cast("B"), rows.itemsize * rows.shape[1]
    starts = ((part["row"] - part["row"][0]) * width).tolist()
    stops = ((part["row"] - part["row"][0] + part["samples"]) * width).tolist()
    crcs = [zlib.crc32(content[a:b]) for a, b in zip(starts, stops, strict=True)]
    bad = np.flatnonzero(np.array(crcs, dtype=np.uint32) != part["crc"])
    return [_named(part, number, "is not what was recorded") for number in bad.tolist()]


def _named(index: Any, number: int, what: str) -> str:
    first, samples = int(index["first"][number]), int(index["samples"][number])
    return f"block {int(index['sequence'][number])} (samples {first} to {first + samples - 1}) {what}"
