"""Runs of like frames in a journal, read at once: blocks of one size without mask or appendix, one behind the other."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.frame import BLOCK, HEADER_BYTES, INT32, Header

MOST_BYTES: Final = 1 << 20
_HEAD: Final = np.dtype(
    [
        ("alike", "V8"),  # magic, version, kind
        ("stream", "<u8"),
        ("epoch", "<u8"),
        ("sequence", "<u8"),
        ("first", "<i8"),
        ("t_ns", "<i8"),
        ("wall_ns", "<i8"),
        ("shape", "V20"),  # samples, channels, dtype, flags, size, appendix
        ("crc", "<u4"),
    ]
)
_CRC: Final = _HEAD.itemsize - 4  # bytes of a header that its checksum covers


class Run(NamedTuple):
    """Frames that differ in place, time and values only; copies, so that the journal can be closed."""

    header: Header  # of the first
    heads: NDArray[np.void]  # (n_frames,) with sequence, first, t_ns and wall_ns
    data: NDArray[Any]  # (n_frames * header.samples, n_channels) int32 counts or float64
    crcs: NDArray[np.uint32]  # (n_frames,) of the samples alone

    def part(self, start: int, stop: int) -> Run:
        """Return the frames `start:stop`."""
        rows = slice(start * self.header.samples, stop * self.header.samples)
        return Run(self.header, self.heads[start:stop], self.data[rows], self.crcs[start:stop])

    def times(self, quantum: NDArray[np.float64]) -> Run:
        """Return the run in physical units."""
        data = self.data * quantum
        return Run(self.header, self.heads, data, crcs_of(data, len(self.heads)))


def run_at(view: memoryview, header: Header, at: int, most: int) -> Run | None:
    """Return at most `most` whole frames like the one at an offset, each of a right CRC; None when there is none.

    `header` is what `read_header` gave for that frame: what it checked holds for all that look the same.
    """
    step = HEADER_BYTES + header.size
    n = min(most, (len(view) - at) // step, max(1, MOST_BYTES // step))
    if header.kind != BLOCK or header.flags or header.appendix or not header.size or n < 1:
        return None
    kind = "<i4" if header.dtype == INT32 else "<f8"
    frame = np.dtype([("head", _HEAD), ("data", kind, (header.samples, header.channels))])
    frames = np.frombuffer(view, dtype=frame, count=n, offset=at)
    heads = frames["head"].copy()
    n = _before_first(heads["alike"] != heads["alike"][0], heads["shape"] != heads["shape"][0])
    heads = heads[:n]
    data = frames["data"][:n].copy().reshape(n * header.samples, header.channels)
    bytes_of_heads, crcs = heads.view(np.uint8).data, crcs_of(data, n)
    before = [zlib.crc32(bytes_of_heads[start : start + _CRC]) for start in range(0, n * HEADER_BYTES, HEADER_BYTES)]
    n = _before_first(crcs ^ _carried(np.array(before, dtype="<u4"), header.size) != heads["crc"])
    return Run(header, heads, data, crcs).part(0, n) if n else None


def run_of(header: Header, frame: bytes, data: NDArray[Any]) -> Run:
    """Return the run of one frame whose samples are `data`."""
    return Run(header, np.frombuffer(frame, dtype=_HEAD, count=1), data, crcs_of(data, 1))


def crcs_of(data: NDArray[Any], n: int) -> NDArray[np.uint32]:
    """Return the CRC32 of each of `n` equal parts of an array."""
    content, size = data.data.cast("B"), data.nbytes // n
    return np.array([zlib.crc32(content[at : at + size]) for at in range(0, n * size, size)], dtype=np.uint32)


def _before_first(*wrong: NDArray[np.bool_]) -> int:
    """Return how many come before the first that is wrong in any way."""
    bad = np.flatnonzero(np.logical_or.reduce(wrong))
    return int(bad[0]) if len(bad) else len(wrong[0])


@lru_cache(maxsize=64)
def _columns(size: int) -> NDArray[np.uint32]:
    """Return what each bit of a CRC becomes when `size` bytes follow."""
    zeros = bytes(size)
    none = zlib.crc32(zeros)
    return np.array([zlib.crc32(zeros, 1 << bit) ^ none for bit in range(32)], dtype=np.uint32)


def _carried(crcs: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
    """Return by what the CRC of `size` bytes changes when it goes on from these: CRC32 is linear over bits.

    So the samples are gone through once, for their own checksum and for the frame's.
    """
    bits = np.unpackbits(crcs.view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
    carried: NDArray[np.uint32] = np.bitwise_xor.reduce(bits * _columns(size), axis=1)
    return carried
