"""A journal as a source: what was recorded, before or without a recording made of it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.recorded import Recorded
from zeromag.acquire.wire import decode
from zeromag.block import Block


def journal_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over every whole block of a journal."""
    journal = JournalFile(path)

    def chunks(samples: int) -> Generator[Block, None, None]:  # noqa: ARG001 - a journal's own blocks are small
        for header, frame in JournalFile(path).frames():
            if header.kind == BLOCK:
                message = decode(frame, journal.description)
                if isinstance(message, Block):
                    yield message.amended(t_ns=0)  # its time is over; a replay gives it a new one

    about = journal.description
    return Recorded(about.sensors, about.rate, chunks, block=block, session=about.session)
