"""Whether a FIF file is whole, by its chain of tags; MNE reads on over a missing end without a word.

A tag is four big-endian int32 (kind, type, size, next) and its data; `next` is 0 for the one right after
it, -1 for none, else an offset.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from zeromag.errors import InputError

_TAG = struct.Struct(">4i")
_FILE_ID, _ID_STRUCT, _DIR_POINTER, _BLOCK_START, _BLOCK_END = 100, 31, 101, 104, 105


def check_fif(path: Path) -> None:
    """Raise InputError when `path` is no FIF file or one that was cut off."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_TAG.size)
        if len(head) < _TAG.size or _TAG.unpack(head)[:2] != (_FILE_ID, _ID_STRUCT):
            raise InputError(f"{path} is no FIF file, whatever its name says: it does not begin with a FIF identifier")
        if not _whole(file, size):
            raise InputError(f"{path} was cut off: its FIF structure does not end before byte {size}; get a whole copy")


def _whole(file: BinaryIO, size: int) -> bool:
    """Return whether the chain of tags ends inside the file with every block closed, and its directory too."""
    at, depth = 0, 0
    for _ in range(10_000_000):  # a damaged chain may run in a circle
        tag = _tag(file, at, size)
        if tag is None:
            return False
        kind, length, after = tag
        if kind == _DIR_POINTER:
            directory = int.from_bytes(file.read(4), "big", signed=True)
            if directory > 0 and _tag(file, directory, size) is None:
                return False
        depth += (kind == _BLOCK_START) - (kind == _BLOCK_END)
        if after == -1:
            return depth == 0
        at = at + _TAG.size + length if after == 0 else after
    return False


def _tag(file: BinaryIO, at: int, size: int) -> tuple[int, int, int] | None:
    """Return kind, length and next of the tag at an offset, None when it does not fit into the file."""
    if not 0 <= at <= size - _TAG.size:
        return None
    file.seek(at)
    kind, _, length, after = _TAG.unpack(file.read(_TAG.size))
    return (kind, length, after) if 0 <= length <= size - at - _TAG.size else None
