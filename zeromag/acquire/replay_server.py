"""Serves frames again to those that missed them: newest from memory, older from the journal.

Request (20 bytes, little-endian): word, epoch, sequence; words `HELO`, `FROM`, `BYE `.
Answer to `FROM`: `HERE`, epoch, sequence of the first frame that follows, next sequence to come; then frames.
"""

from __future__ import annotations

import contextlib
import struct
import time
from pathlib import Path
from typing import Final

from zeromag.acquire.frame import DESCRIPTION, END, HEADER_BYTES, FrameError, check, read_header
from zeromag.acquire.journal import Journal
from zeromag.acquire.shelf import Shelf

REQUEST: Final = struct.Struct("<4sQQ")
ANSWER: Final = struct.Struct("<4sQQQ")
HELLO, FROM, BYE, HERE = b"HELO", b"FROM", b"BYE ", b"HERE"
BATCH_BYTES: Final = 4 << 20
BATCH_FRAMES: Final = 512
FORGET_SECONDS: Final = 10.0  # a consumer says hello each second, unless its machine is too busy
MOST_CONSUMERS: Final = 1000


class ReplayServer:
    """Answers requests; knows no socket, so that it is tested without one."""

    def __init__(self, shelf: Shelf, journal: Journal | None, epoch: int) -> None:
        self._shelf, self.epoch = shelf, epoch
        self.journals = [] if journal is None else [journal]  # those that are closed still serve
        self._consumers: dict[bytes, float] = {}
        self.refused = 0

    def renewed(self, shelf: Shelf, journal: Journal | None, epoch: int) -> ReplayServer:
        """Return a server for a new start with the same consumers."""
        fresh = ReplayServer(shelf, journal, epoch)
        fresh._consumers = self._consumers
        return fresh

    def answer(self, who: bytes, request: bytes, upcoming: int) -> list[bytes] | None:
        """Return the parts to send back to `who`, or None; `upcoming` is the next sequence to come."""
        if len(request) != REQUEST.size or request[:4] not in {HELLO, FROM, BYE}:
            self.refused += 1
            return None
        word, epoch, sequence = REQUEST.unpack(request)
        if word == BYE:
            self._consumers.pop(who, None)
            return None
        if who in self._consumers or len(self._consumers) < MOST_CONSUMERS:
            self._consumers[who] = time.monotonic()
        if word == HELLO:
            return None
        first, frames = (0, []) if epoch != self.epoch else self._from(sequence, upcoming)
        return [ANSWER.pack(HERE, self.epoch, first, upcoming), *frames]

    def consumers(self) -> int:
        """Return how many consumers that repair are there now."""
        limit = time.monotonic() - FORGET_SECONDS
        for who in [who for who, seen in self._consumers.items() if seen < limit]:
            del self._consumers[who]
        return len(self._consumers)

    def _kept(self, sequence: int) -> list[bytes]:
        """Return what the journals hold from a sequence on that is not in memory any more, at most a batch."""
        if self._shelf.get(sequence) is not None:
            return []
        for journal in self.journals:
            with contextlib.suppress(OSError):  # its file may have been moved away
                if frames := _from_journal(journal, sequence):
                    return frames
        return []

    def _from(self, sequence: int, upcoming: int) -> tuple[int, list[bytes]]:
        frames = self._kept(sequence)
        first = sequence
        if not frames and self._shelf.get(sequence) is None:
            kept = [journal.first for journal in self.journals if journal.sequences and journal.first > sequence]
            first = min([*kept, max(sequence, self._shelf.oldest() or 0)])
            frames = self._kept(first)
        total = sum(map(len, frames))
        for number in range(first + len(frames), upcoming):
            frame = self._shelf.get(number)
            if frame is None or len(frames) >= BATCH_FRAMES or (frames and total + len(frame) > BATCH_BYTES):
                break
            frames.append(frame)
            total += len(frame)
        return first, frames


def _from_journal(journal: Journal, sequence: int) -> list[bytes]:
    """Return frames of the journal from this sequence on, at most a batch."""
    where = journal.stored(sequence)
    if where is None:
        return []
    number, offset = where
    return _read(journal.path, offset, number, sequence)


def _read(path: Path, offset: int, number: int, wanted: int) -> list[bytes]:
    frames: list[bytes] = []
    total = 0
    with path.open("rb") as file:
        file.seek(offset)
        while len(frames) < BATCH_FRAMES and total < BATCH_BYTES:
            try:
                head = file.read(HEADER_BYTES)
                frame = head + file.read(read_header(head).size)
                header = check(frame)
            except FrameError:  # the end of what is written so far
                break
            if header.kind == DESCRIPTION:
                continue
            if (
                header.sequence != number or header.kind == END
            ):  # the end of a stream is in memory, that of a journal not in it
                break
            if number >= wanted:
                frames.append(frame)
                total += len(frame)
            number += 1
    return frames
