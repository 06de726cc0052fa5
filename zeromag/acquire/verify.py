"""Checks every block of a recording or journal against its checksum."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal_file import JournalFile
from zeromag.errors import InputError

_ROWS = 1 << 15


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
    import h5py

    from zeromag.acquire.recording_source import HDF5_FAILS, contents

    index = contents(path).index
    problems: list[str] = []
    with h5py.File(path, "r") as file:
        data = file["raw/data"]
        if int(index["samples"].sum()) != data.shape[0]:
            problems.append(f"the index counts {int(index['samples'].sum())} samples, the data holds {data.shape[0]}")
        at = 0
        while at < len(index):
            stop = at + int(np.searchsorted(index["row"][at:], index["row"][at] + _ROWS))
            stop = max(stop, at + 1)
            try:
                problems += _bad_blocks(data, index, at, stop)
            except HDF5_FAILS:  # a chunk's own checksum: look block by block
                for number in range(at, stop):
                    try:
                        problems += _bad_blocks(data, index, number, number + 1)
                    except HDF5_FAILS:
                        problems.append(_named(index, number, "cannot be read"))
            at = stop
    return problems


def _bad_blocks(data: Any, index: Any, start: int, stop: int) -> list[str]:
    begin = int(index["row"][start])
    rows = data[begin : int(index["row"][stop - 1]) + int(index["samples"][stop - 1])]
    bad = []
    for number in range(start, stop):
        row = int(index["row"][number]) - begin
        if zlib.crc32(rows[row : row + int(index["samples"][number])].data) != index["crc"][number]:
            bad.append(_named(index, number, "is not what was recorded"))
    return bad


def _named(index: Any, number: int, what: str) -> str:
    first, samples = int(index["first"][number]), int(index["samples"][number])
    return f"block {int(index['sequence'][number])} (samples {first} to {first + samples - 1}) {what}"
