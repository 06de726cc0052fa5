"""The frame: one message of a stream as bytes, the same on the wire and in the journal; no I/O here.

    header (80 bytes) | samples | mask bits | appendix (msgpack)

Each part but the header may be empty; docs/wire.md is the contract for other languages.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from typing import Final, NamedTuple

from zeromag.errors import LinkError

MAGIC: Final = b"ZMAG"
VERSION: Final = 1
BLOCK, DESCRIPTION, RESULT, END = 1, 2, 3, 4
NO_DATA, INT32, FLOAT64 = 0, 1, 2
ITEM_BYTES: Final = {NO_DATA: 0, INT32: 4, FLOAT64: 8}
HAS_MASK: Final = 1
MAX_CHANNELS: Final = 1 << 16
MAX_SAMPLES: Final = 1 << 20
MAX_BYTES: Final = 1 << 28  # 256 MB: one second of 4,096 channels at 8 kHz in float64

_LAYOUT: Final = struct.Struct("<4sHHQQQqqqIIBBHIII")
HEADER_BYTES: Final = _LAYOUT.size  # 80
_CHECKED, _CRC = struct.Struct("<4sHHQQQqqqIIBBHII"), struct.Struct("<I")  # the header without its CRC, and that
_BEFORE_CRC: Final = _CHECKED.size


_new = tuple.__new__  # past the function in Python that makes a NamedTuple
Bytes = bytes | memoryview | mmap.mmap


class FrameError(LinkError):
    """A frame that is malformed, of another version, of a wrong CRC or of an absurd size."""


class Header(NamedTuple):  # made for every frame, and four times faster than a frozen dataclass
    """What stands in front of every frame; fields in the order of the bytes."""

    kind: int  # BLOCK, DESCRIPTION, RESULT or END
    stream: int  # one acquisition, random
    epoch: int  # one start of the publisher: its wall clock then, ns
    sequence: int  # counts blocks, results and the end from 0; in a description: the next one to come
    first: int = 0  # index of the first sample in the stream, gaps counted
    t_ns: int = 0  # monotonic clock of the sender's machine when the last sample had arrived
    wall_ns: int = 0  # wall clock at the same instant, ns since 1970
    samples: int = 0
    channels: int = 0
    dtype: int = NO_DATA
    flags: int = 0
    size: int = 0  # bytes after the header
    appendix: int = 0  # bytes of msgpack at the end of these
    crc: int = 0

    @property
    def data_bytes(self) -> int:
        """Size of the samples."""
        return self.samples * self.channels * ITEM_BYTES[self.dtype]

    @property
    def mask_bytes(self) -> int:
        """Size of the mask, one bit per sample and channel."""
        return (self.samples * self.channels + 7) // 8 if self.flags & HAS_MASK else 0


def pack(header: Header, data: bytes | memoryview = b"", mask: bytes = b"", appendix: bytes = b"") -> bytes:
    """Return the frame; size, appendix and CRC of `header` are filled in here."""
    size = len(data) + len(mask) + len(appendix)
    head = _CHECKED.pack(MAGIC, VERSION, *header[:11], 0, size, len(appendix))
    crc = zlib.crc32(data, zlib.crc32(head))
    if mask or appendix:
        crc = zlib.crc32(appendix, zlib.crc32(mask, crc))
    return b"".join((head, _CRC.pack(crc), data, mask, appendix))


def read_header(start: Bytes, at: int = 0) -> Header:
    """Return the header of the frame at an offset, every field that bounds its size checked; the CRC not yet."""
    if len(start) - at < HEADER_BYTES:
        raise FrameError(f"a frame needs {HEADER_BYTES} bytes of header, got {len(start) - at}")
    (
        magic, version, kind, stream, epoch, sequence, first, t_ns, wall_ns, samples, channels, dtype, flags, spare,
        size, appendix, crc,
    ) = _LAYOUT.unpack_from(start, at)  # fmt: skip
    if magic != MAGIC:
        raise FrameError(f"a frame begins with {MAGIC!r}, got {magic!r}")
    if version != VERSION:
        raise FrameError(f"this zeromag reads frames of version {VERSION}, got version {version}; update the older")
    if not BLOCK <= kind <= END or spare or dtype > FLOAT64 or flags > HAS_MASK:
        raise FrameError(f"a frame of kind {kind}, dtype {dtype}, flags {flags} is unknown")
    if samples > MAX_SAMPLES or channels > MAX_CHANNELS or size > MAX_BYTES:
        raise FrameError(
            f"a frame holds at most {MAX_SAMPLES} samples, {MAX_CHANNELS} channels and {MAX_BYTES} bytes, "
            f"got {samples}, {channels} and {size}"
        )
    values = samples * channels
    mask_bytes = (values + 7) // 8 if flags else 0
    if values * ITEM_BYTES[dtype] + mask_bytes + appendix != size:
        raise FrameError(
            f"{samples} x {channels} samples and {appendix} bytes of appendix do not make a frame of {size} bytes"
        )
    return _new(
        Header,
        (kind, stream, epoch, sequence, first, t_ns, wall_ns, samples, channels, dtype, flags, size, appendix, crc),
    )


def check(frame: bytes | memoryview) -> Header:
    """Return the header of a whole frame after checking its length and CRC."""
    header = read_header(frame)
    if len(frame) != HEADER_BYTES + header.size:
        raise FrameError(f"a frame of {HEADER_BYTES + header.size} bytes was announced, got {len(frame)}")
    check_crc(memoryview(frame), header)
    return header


def check_crc(view: memoryview, header: Header, at: int = 0) -> None:
    """Raise FrameError when the bytes of the frame at an offset are not those that were sent."""
    crc = zlib.crc32(view[at : at + _BEFORE_CRC])
    if zlib.crc32(view[at + HEADER_BYTES : at + HEADER_BYTES + header.size], crc) != header.crc:
        raise FrameError(f"the checksum of frame {header.sequence} is wrong: it was damaged on its way")
