"""A journal read back: every whole frame, up to the torn tail."""

from __future__ import annotations

import mmap
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zeromag.acquire.frame import DESCRIPTION, HEADER_BYTES, MAGIC, FrameError, Header, check_crc, read_header
from zeromag.acquire.message import Description
from zeromag.acquire.run import Run, run_at
from zeromag.acquire.wire import decode
from zeromag.errors import InputError

_RUN_BEGINS: Final = 16  # frames


@dataclass(slots=True)
class JournalFile:
    """A journal on disk, perhaps cut off; nothing here ever writes to it.

    After a full pass `damaged` names each stretch in the middle that was skipped, and `torn` counts the
    bytes of a last frame that was never finished.
    """

    path: Path
    description: Description = field(init=False)
    damaged: list[str] = field(default_factory=list)
    torn: int = 0

    def __post_init__(self) -> None:
        for header, frame in self.frames():
            if header.kind == DESCRIPTION:
                description = decode(frame)
                if isinstance(description, Description):
                    self.description = description
                    return
            break
        raise InputError(f"{self.path} is not a journal of zeromag: its first record is not a whole description")

    def frames(self) -> Generator[tuple[Header, bytes], None, None]:
        """Yield each whole frame in order."""
        for piece in self._opened(runs=False):
            if not isinstance(piece, Run):
                yield piece

    def pieces(self) -> Generator[Run | tuple[Header, bytes], None, None]:
        """Yield each whole frame in order, those that look alike many at once."""
        yield from self._opened(runs=True)

    def _opened(self, *, runs: bool) -> Generator[Run | tuple[Header, bytes], None, None]:
        self.damaged, self.torn = [], 0
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) == 0:
                    return
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
                    if hasattr(mmap, "MADV_SEQUENTIAL"):  # a long recording's beginning is on the disk alone
                        content.madvise(mmap.MADV_SEQUENTIAL)
                    yield from self._walk(content, view, runs=runs)
        except OSError as error:
            raise InputError(f"the journal {self.path} cannot be read: {error.strerror}") from error

    def _walk(
        self, content: mmap.mmap, view: memoryview, *, runs: bool
    ) -> Generator[Run | tuple[Header, bytes], None, None]:
        at, bad_from, why, most = 0, -1, "", _RUN_BEGINS
        while at < len(content):
            try:
                header = read_header(content, at)
                size = HEADER_BYTES + header.size
                if at + size > len(content):
                    raise FrameError("it ends beyond the end of the file")
                run = run_at(view, header, at, most) if runs else None
                if run is None:
                    check_crc(view, header, at)
            except FrameError as error:
                if bad_from < 0:
                    bad_from, why = at, str(error)
                at = content.find(MAGIC, at + 1)
                if at < 0:
                    break
                continue
            if bad_from >= 0:
                self.damaged.append(f"bytes {bad_from} to {at - 1}, before frame {header.sequence}: {why}")
                bad_from = -1
            frames = 0 if run is None else len(run.heads)
            most = max(_RUN_BEGINS, 2 * frames)  # a journal in shreds is not read many times over
            yield (header, content[at : at + size]) if run is None else run
            at += size * max(1, frames)
        if bad_from >= 0:  # what was reserved and never written is zeros, and no loss
            self.torn = len(content[bad_from:].rstrip(b"\0"))


def read_journal(path: Path) -> Generator[tuple[Header, bytes], None, None]:
    """Yield each whole frame of a journal with its header, up to the torn tail."""
    yield from JournalFile(path).frames()
