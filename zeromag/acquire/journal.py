"""The journal: the frames of a stream appended to one file before anyone else sees them.

One `write` a frame, so that `kill -9` loses at most the frame in flight; `fdatasync` twice a second on an
own thread, so that a power cut loses less than one second also when the disk is slow; room reserved ahead, so
that a full disk is met before a frame is acknowledged and not in the middle of one. Most of it is reserved before
the first frame: a file system that has to look on a busy disk for room keeps every write to the file waiting. What is
long on the disk is let go from memory, so that an hour's recording does not fill it, and pages are written to again
that are at hand.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import time
from array import array
from pathlib import Path
from typing import Final, Self

from zeromag.acquire.frame import DESCRIPTION, HEADER_BYTES, read_header
from zeromag.errors import StorageError

INDEX_EVERY: Final = 64  # sequenced frames between two entries of the index
LAST_WORDS: Final = 4096  # bytes always left for the end frame
WARN_SECONDS: Final = 600.0
AHEAD_SECONDS: Final = 300.0  # of the stream that room is reserved for, when less than
IN_MEMORY: Final = 512 << 20  # bytes, the newest: what a consumer missed in 10 s is read from there at any pace
_LOW_SECONDS: Final = 20.0  # is left
_AHEAD_MOST: Final = 1 << 32  # bytes
_SHARE: Final = 1 / 8  # of the free disk that is reserved at most
_START_SECONDS: Final = 0.5  # that reserving may take before the first frame: some disks write zeros
_STEP_LEAST: Final = 1 << 16  # bytes that a write reserves by itself, where none are left
_PIECE: Final = 1 << 22  # bytes reserved at once; a write has to wait meanwhile
_BETWEEN_PIECES: Final = 0.001  # s


class Journal:
    """Appends frames; acknowledged means in the hands of the operating system, on disk within a second.

    `pace` is how many bytes a second are expected; `seconds_left` how long the disk still lasts at the pace so far,
    `inf` before the first second.
    """

    def __init__(self, path: Path, *, sync_seconds: float = 0.5, pace: float = 0.0) -> None:
        self.path = path
        self.seconds_left = float("inf")
        self.sequences = 0  # sequenced frames written
        self.first = 0  # sequence of the first of them
        self._size = self._reserved = self._let_go = 0
        self._step = _STEP_LEAST
        self._index = array("q")
        self._began = time.monotonic()
        self._room = threading.Lock()
        self._stop = threading.Event()
        self._fault: OSError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
            to_disk(path.parent)
        except OSError as error:
            raise StorageError(f"the journal {path} cannot be created: {error.strerror}") from error
        self._reserve_ahead(pace, self._free(), _START_SECONDS, between=0.0)
        self._sync = threading.Thread(target=self._keep, args=(sync_seconds,), name="journal", daemon=True)
        self._sync.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def __call__(self, frame: bytes, *, last: bool = False) -> None:
        """Append one frame; `last` may use the room kept for the end.

        Raises
        ------
        StorageError
            The frame is not in the journal; all before it are, whole.
        """
        if self._fault is not None:
            raise StorageError(f"the disk of {self.path} failed: {self._fault.strerror}") from self._fault
        if self._size + len(frame) + (0 if last else LAST_WORDS) > self._reserved:
            self._reserve(len(frame) + (0 if last else LAST_WORDS))
        try:
            written = os.write(self._file, frame)
        except OSError as error:
            raise self._full(error) from error
        if written < len(frame):
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            raise self._full(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        header = read_header(frame[:HEADER_BYTES])
        if header.kind != DESCRIPTION:
            if not self.sequences:
                self.first = header.sequence
            if self.sequences % INDEX_EVERY == 0:
                self._index.append(self._size)
            self.sequences += 1
        self._size += written

    def stored(self, sequence: int) -> tuple[int, int] | None:
        """Return a sequence at or before the wanted one and the offset of its frame; None when not written yet."""
        if not 0 <= sequence - self.first < self.sequences:
            return None
        entry = (sequence - self.first) // INDEX_EVERY
        return self.first + entry * INDEX_EVERY, self._index[entry]

    def close(self) -> None:
        """Cut the reserved room off, bring everything to the disk and close."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._sync.join()
        try:
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def _reserve(self, needed: int) -> None:
        """Make sure that the next `needed` bytes have a place, more when the disk allows."""
        with self._room:
            for room in (max(self._step, needed), needed):
                try:
                    self._allocate(self._size + room)
                except OSError as error:
                    if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} or room == needed:
                        raise self._full(error) from error
                else:
                    self._step = min(2 * self._step, _PIECE)
                    return

    def _allocate(self, end: int) -> None:
        if end > self._reserved:
            if hasattr(os, "posix_fallocate"):  # macOS and Windows have none, nor do some network disks
                try:
                    os.posix_fallocate(self._file, self._reserved, end - self._reserved)
                except OSError as error:
                    if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                        raise
            self._reserved = end

    def _keep(self, seconds: float) -> None:
        """Bring what was written to the disk, keep room ahead, watch how much is left; on its own thread."""
        sync = getattr(os, "fdatasync", os.fsync)
        while not self._stop.wait(seconds):
            try:
                before = self._size
                sync(self._file)
                self._let_memory_go(before - IN_MEMORY)
                pace = self._size / max(time.monotonic() - self._began, 1e-3)
                free = self._free()
                self.seconds_left = (free - LAST_WORDS) / pace if pace else float("inf")
                if self._reserved - self._size < min(pace * _LOW_SECONDS, free * _SHARE / 2):
                    self._reserve_ahead(pace, free, seconds / 2)
            except OSError as error:
                self._fault = error
                return

    def _let_memory_go(self, end: int) -> None:
        """Tell the system that what is on the disk up to here need not stay in memory; not every system can be told."""
        if end > self._let_go and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file, self._let_go, end - self._let_go, os.POSIX_FADV_DONTNEED)
            self._let_go = max(0, end - _PIECE)  # once more with the next: a page that reached beyond was left

    def _free(self) -> int:
        """Return how many bytes can still be written, those reserved included."""
        return shutil.disk_usage(self.path.parent).free + self._reserved - self._size

    def _reserve_ahead(self, pace: float, free: int, seconds: float, between: float = _BETWEEN_PIECES) -> None:
        """Reserve minutes at this pace, piece by piece, so that no write waits for more than one; so long at most.

        64 MB at once kept a write waiting for 22 ms in memory.
        """
        end = self._size + int(min(pace * AHEAD_SECONDS, free * _SHARE, _AHEAD_MOST))
        until = time.monotonic() + seconds
        with contextlib.suppress(OSError):  # met again, and said, by the write that needs it
            while self._reserved < end and time.monotonic() < until and not self._stop.wait(between):
                with self._room:
                    self._allocate(min(self._reserved + _PIECE, end))

    def _full(self, error: OSError) -> StorageError:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            return StorageError(f"the journal {self.path} cannot be written: {error.strerror}")
        return StorageError(
            f"the disk mounted at {_mount(self.path)} is full: {self.path} keeps all that came before; make room there"
        )


def _mount(path: Path) -> Path:
    """Return the mount point a path lies on."""
    here = path.resolve()
    if os.name == "nt":
        return Path(here.anchor)
    while not here.is_mount() and here != here.parent:
        here = here.parent
    return here


def to_disk(path: Path) -> None:
    """Bring a file to the disk, or the names in a folder (Windows cannot and need not)."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
