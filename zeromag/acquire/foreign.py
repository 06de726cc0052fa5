"""A file of unknown origin, read by a process of its own with limits: what crashes or hangs it costs one sentence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, Final

from zeromag.acquire.frame import HEADER_BYTES, FrameError, check, read_header
from zeromag.acquire.message import Description, End
from zeromag.acquire.recorded import Recorded
from zeromag.acquire.wire import decode
from zeromag.block import Block
from zeromag.errors import InputError

SILENCE: Final = 60.0  # s that the reader may need for one piece, its start and a slow disk included


def foreign(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording that a child process reads.

    Raises
    ------
    InputError
        The file cannot be read, or crashes or hangs whoever reads it.
    """
    waiting = [_Reader(path)]
    description, samples = waiting[0].description, waiting[0].samples

    def chunks(size: int) -> Generator[Block, None, None]:
        reader = waiting.pop() if waiting else _Reader(path)
        try:
            yield from reader.blocks(size)
        finally:
            reader.close()

    return Recorded(
        description.sensors, description.rate, chunks, samples=samples, block=block, session=description.session
    )


class _Reader:
    """The child and its two pipes; it has opened the file, and reads on once it is told how much at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child = subprocess.Popen(
            [sys.executable, "-m", "zeromag.acquire.foreign_child", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which ends it
        )  # fmt: skip
        self.close = weakref.finalize(self, _end, self._child)
        try:
            size = int.from_bytes(self._take(4), "little")
            self.samples = int(json.loads(self._take(size))["samples"])
            self.description = self._described()
        except BaseException:
            self.close()
            raise

    def blocks(self, size: int) -> Generator[Block, None, None]:
        """Yield the file in pieces of about so many samples."""
        try:
            _pipe(self._child.stdin).write(f"{size}\n".encode())
            _pipe(self._child.stdin).flush()
        except BrokenPipeError as error:
            raise self._failed() from error
        while not isinstance(message := self._message(self.description), End):
            if isinstance(message, Block):
                yield message

    def _described(self) -> Description:
        message = self._message(None)
        if not isinstance(message, Description):
            raise self._failed()
        return message

    def _message(self, description: Description | None) -> Any:
        head = self._take(HEADER_BYTES)
        try:
            frame = head + self._take(read_header(head).size)
            return decode(frame, description, check(frame))
        except FrameError as error:
            raise self._failed() from error

    def _take(self, size: int) -> bytes:
        """Return so many bytes of what the child says; one that says nothing for long is ended."""
        hung = threading.Timer(SILENCE, self._child.kill)
        hung.daemon = True
        hung.start()
        try:
            content = _pipe(self._child.stdout).read(size)
        finally:
            hung.cancel()
        if len(content) < size:
            raise self._failed()
        return content

    def _failed(self) -> InputError:
        """Return what went wrong, in the child's words when it had any."""
        self._child.kill()
        said = _pipe(self._child.stderr).read().decode(errors="replace").strip().splitlines()
        code = self._child.wait()
        if code == 1 and said:
            return InputError(said[-1])
        if code == -signal.SIGKILL:
            return InputError(f"{self._path} took too much time or memory to read: it is damaged, or no recording")
        why = signal.Signals(-code).name if code < 0 else said[-1] if said else f"exit code {code}"
        return InputError(f"{self._path} crashed its reader ({why}): it is damaged, or no recording")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise InputError("the process that reads a file has no pipe to this one")
    return pipe


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and close its pipes."""
    child.kill()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # it had ended before it read what it was told
    child.wait()
