"""A scanned recording, to be looked at anywhere: its cleaned samples and what was said at which sample.

Three files in a folder that only grow, so that one process writes while another reads what is whole:
`cleaned` (float64) and `masked` (bytes) as samples × channels with gaps counted, and `said`, the frames of
docs/wire.md with the sample of each in the place of its sequence number.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.frame import HEADER_BYTES, read_header
from zeromag.acquire.message import Description, End, Result, Stamp
from zeromag.acquire.wire import decode, encode_description, encode_end, encode_result
from zeromag.block import Block
from zeromag.errors import StorageError

CHUNK = 1 << 16  # samples of a gap written at a time


class TimelineWriter:
    """Takes what a broadcast tells; `written` is the sample and the bytes of `said` up to which all can be read.

    Raises
    ------
    StorageError
        If the disk is full.
    """

    def __init__(self, folder: Path, description: Description, first: int) -> None:
        self._channels = len(description.sensors)
        self._files = [(folder / name).open("wb", buffering=0) for name in ("cleaned", "masked", "said")]
        self._stop = first
        self._say(encode_description(description, self._stamp()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files:
            file.close()

    @property
    def written(self) -> tuple[int, int]:
        """Sample after the newest, and bytes of what was said."""
        return self._stop, self._files[2].tell()

    def __call__(self, block: Block) -> None:
        """Keep cleaned samples, a gap before them as NaN, and what happened in them."""
        for start in range(self._stop, block.first, CHUNK):
            rows = min(CHUNK, block.first - start)
            self._keep(np.full((rows, self._channels), np.nan), np.ones((rows, self._channels), dtype=np.bool_))
        if block.first > self._stop:
            gap = {"kind": "gap", "sample": self._stop, "samples": block.first - self._stop, "channel": "", "why": ""}
            self.result(Result("event", gap))
        self._keep(block.data, block.bad())
        self._stop = block.stop
        for event in block.events:
            if event.kind != "gap":
                fields = {"kind": event.kind, "sample": event.sample, "samples": event.samples}
                self.result(Result("event", fields | {"channel": event.channel, "why": event.why}))

    def result(self, result: Result) -> None:
        """Keep what was made of the samples up to now."""
        self._say(encode_result(result, self._stamp()))

    def end(self, samples: int, reason: str = "") -> None:
        """Keep that this is the end."""
        self._say(encode_end(End(samples, reason), self._stamp()))

    def _stamp(self) -> Stamp:
        return Stamp(0, 0, self._stop)

    def _keep(self, data: NDArray[np.float64], bad: NDArray[np.bool_]) -> None:
        try:
            self._files[0].write(np.ascontiguousarray(data).tobytes())
            self._files[1].write(np.ascontiguousarray(bad).tobytes())
        except OSError as error:
            raise StorageError(f"the cleaned recording cannot be kept for looking at: {error.strerror}") from error

    def _say(self, frame: bytes) -> None:
        try:
            self._files[2].write(frame)
        except OSError as error:
            raise StorageError(f"the cleaned recording cannot be kept for looking at: {error.strerror}") from error


class Timeline:
    """The reading side; `learn` takes how far the writer has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = 0  # bytes of `said`
        self._said: dict[str, tuple[list[int], list[Result]]] = {}  # by name: samples, and what was said there
        self.description: Description | None = None
        self.end: End | None = None
        self.first = self.stop = 0

    def learn(self, stop: int, said: int) -> None:
        """Take that samples up to `stop` and `said` bytes of words are whole."""
        with (self._folder / "said").open("rb") as file:
            file.seek(self._read)
            fresh = file.read(said - self._read)
        at = 0
        while at < len(fresh):
            header = read_header(fresh, at)
            size = HEADER_BYTES + header.size
            message = decode(fresh[at : at + size])
            if isinstance(message, Description):
                self.description, self.first = message, header.sequence
            elif isinstance(message, End):
                self.end = message
            elif isinstance(message, Result):
                samples, results = self._said.setdefault(message.name, ([], []))
                samples.append(header.sequence)
                results.append(message)
            at += size
        self._read, self.stop = self._read + at, stop

    def block(self, start: int, stop: int) -> Block:
        """Return the cleaned samples `start` to `stop`, gaps NaN and masked.

        Raises
        ------
        ValueError
            If they are not all there yet.
        """
        about = self.description
        if about is None or not self.first <= start < stop <= self.stop:
            raise ValueError(f"samples {start} to {stop} were asked for, there are {self.first} to {self.stop}")
        n = len(about.sensors)
        count, skipped = (stop - start) * n, (start - self.first) * n
        data = np.fromfile(self._folder / "cleaned", dtype=np.float64, count=count, offset=8 * skipped)
        bad = np.fromfile(self._folder / "masked", dtype=np.bool_, count=count, offset=skipped)
        return Block(data.reshape(-1, n), start, about.rate, about.sensors, mask=bad.reshape(-1, n))

    def said(self, name: str, stop: int) -> list[Result]:
        """Return everything of this name that was said by sample `stop`, oldest first."""
        samples, results = self._said.get(name, ([], []))
        return results[: bisect_right(samples, stop)]

    def said_at(self, name: str, stop: int) -> list[tuple[int, Result]]:
        """Return the same with the sample each was said at."""
        samples, results = self._said.get(name, ([], []))
        return list(zip(samples, results, strict=True))[: bisect_right(samples, stop)]
