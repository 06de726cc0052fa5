"""Checks every block of a recording or journal against its checksum."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal_file import JournalFile
from zeromag.errors import InputError

_BYTES: Final = 1 << 20  # read at once


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
            last = header.sequence - 1
            lost = f"frame {last} is" if last == expected else f"frames {expected} to {last} are"
            problems.append(f"{lost} missing")
        expected = header.sequence + (header.kind == BLOCK)
    torn = [f"{journal.torn} bytes at the end belong to a frame that was never finished"] if journal.torn else []
    return [*journal.damaged, *problems, *torn]


def _recording(path: Path) -> list[str]:
    from zeromag.acquire.recording_source import Samples, bad_blocks
    from zeromag.acquire.seal import is_sealed

    if not is_sealed(path):
        return ["its seal is gone: another program wrote to it, and nothing vouches for its samples"]
    problems: list[str] = []
    with Samples(path) as file:  # everything but the samples is checked by this
        index = file.about.index
        width = file.rows(0, 1).nbytes
        most = max(1, _BYTES // width)
        start = 0
        while start < len(index):
            begin = int(index["row"][start])
            stop = max(file.about.blocks_of_rows(begin, begin + most)[1], start + 1)
            part = index[start:stop]
            rows = file.rows(begin, int(part["row"][-1]) + int(part["samples"][-1]))
            problems += [_named(part, number) for number in bad_blocks(rows, part)]
            start = stop
    return problems


def _named(index: Any, number: int) -> str:
    first, samples = int(index["first"][number]), int(index["samples"][number])
    return f"block {int(index['sequence'][number])} (samples {first} to {first + samples - 1}) is not what was recorded"
