"""Recordings (`*.zm.h5`): made from a journal, checked, read back lazily."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zeromag.acquire.frame import BLOCK, END, INT32
from zeromag.acquire.journal import Journal, to_disk
from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.recording_source import read_recording
from zeromag.acquire.recording_writer import RecordingWriter
from zeromag.acquire.run import Run
from zeromag.acquire.source import Source
from zeromag.acquire.verify import verify
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.errors import InputError, StorageError

__all__ = ["Recovered", "read_recording", "recover", "verify", "write_recording"]
SUFFIX: Final = ".zm.h5"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came out of a journal; as text one phrase."""

    path: Path
    samples: int
    rate: float  # Hz
    gaps: int
    status: str  # complete, recovered, gaps n
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        found = f"; skipped {'; '.join(self.problems)}" if self.problems else ""
        return f"{self.samples} samples ({self.samples / self.rate:.1f} s), {self.status}{found}"


def recover(journal: Path, out: Path) -> Recovered:
    """Make a recording out of a journal, cut off or not; the journal is never written to.

    It is written under a temporary name, checked block by block against the journal's checksums, brought
    to the disk and renamed, so that `out` is whole or not there.

    Raises
    ------
    InputError
        The journal is none, or holds no block.
    StorageError
        The recording cannot be written, or does not read back as it should.
    """
    if journal.name.endswith(SUFFIX):
        raise InputError(f"{journal} is a recording already: recover takes the journal (.zmj) that it was made from")
    source = JournalFile(journal)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}") from error
    os.close(handle)
    part = Path(name)
    try:
        part.chmod(0o644)
        recovered = _written(source, part, out)
        with ThreadPoolExecutor(1, "to disk") as beside:  # the disk works while this processor checks
            stored = beside.submit(to_disk, part)
            problems = verify(part, kind=SUFFIX)
            stored.result()
        if problems:
            raise StorageError(f"{out} did not read back as it was written ({problems[0]}): the disk may be failing")
        part.replace(out)
        to_disk(out.parent)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return recovered


def write_recording(path: Path, source: Source, session: dict[str, object] | None = None) -> Recovered:
    """Write everything a source gives as a recording.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        journal = Path(folder) / "blocks.zmj"
        try:
            with Journal(journal) as append:
                for frame in _frames(source, session or {}):
                    append(frame)
        except StorageError as error:  # of a journal that nobody asked for, and that goes
            raise unwritten(path, error) from error.__cause__
        return recover(journal, path)


def unwritten(path: Path, error: StorageError) -> StorageError:
    """Return the error of a file that was on its way to `path`, said of `path`."""
    cause = error.__cause__
    return StorageError(f"{path} cannot be written: {cause.strerror if isinstance(cause, OSError) else error}")


def _frames(source: Source, session: dict[str, object]) -> Generator[bytes, None, None]:
    from zeromag import __version__

    epoch, sequence, stop = time.time_ns(), 0, 0
    description = Description(source.sensors, source.rate, session=session, version=__version__)
    yield encode_description(description, Stamp(0, epoch, 0, epoch))
    for block in source.blocks():
        yield encode_block(block, Stamp(0, epoch, sequence))
        sequence, stop = sequence + 1, block.stop
    yield encode_end(End(stop, "the source ended"), Stamp(0, epoch, sequence))


def _written(source: JournalFile, part: Path, out: Path) -> Recovered:
    """Write all blocks, as counts when every one holds counts, else in float64."""
    try:
        return _write(source, part, out, counts=True)
    except _MixedError:
        return _write(source, part, out, counts=False)


class _MixedError(Exception):
    """Some blocks hold counts and some do not."""


def _write(source: JournalFile, part: Path, out: Path, *, counts: bool) -> Recovered:
    ended = False
    with RecordingWriter(part, source.description, counts=counts) as writer:
        for piece in source.pieces():
            header = piece.header if isinstance(piece, Run) else piece[0]
            ended = ended or header.kind == END
            if header.kind != BLOCK:
                continue
            if counts and header.dtype != INT32:
                raise _MixedError
            if header.channels != len(source.description.sensors) or not header.data_bytes:
                continue
            if isinstance(piece, Run):
                writer.append_run(piece)
            else:
                writer.append(*piece)
        if writer.stop is None:
            raise InputError(f"{source.path} holds no block, so there is nothing to recover")
        status = "complete" if ended and not source.torn else "recovered"
        if writer.gaps:
            status = f"gaps {writer.gaps}" if status == "complete" else f"recovered, gaps {writer.gaps}"
        writer.finish(status, {"journal": source.path.name, "damaged": source.damaged})
        return Recovered(out, writer.rows, source.description.rate, writer.gaps, status, tuple(source.damaged))
