"""A recording as a source: big chunks read lazily, cut into blocks, gaps told."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from zeromag.acquire.counts import counted
from zeromag.acquire.gap import after_gap
from zeromag.acquire.triggers import Triggers
from zeromag.block import Block
from zeromag.sensors import SensorArray

CHUNK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A source over something that already exists.

    `chunks(samples)` yields the recording in order, in pieces of at most about `samples` samples, and owns
    the file while it runs; a block never spans a gap.
    """

    sensors: SensorArray
    rate: float  # Hz
    chunks: Callable[[int], Generator[Block, None, None]]
    samples: int = 0  # index after the last sample, gaps counted; 0: not known
    block: int = 10  # samples in a block
    session: dict[str, Any] = field(default_factory=dict)  # that it was recorded under, where it is known

    @property
    def seconds(self) -> float:
        """How long the recording lasts; NaN when nobody knows before reading it."""
        return self.samples / self.rate if self.samples else float("nan")

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the recording from its beginning, as fast as it is asked for."""
        wanted = max(1, round(CHUNK_SECONDS * self.rate / self.block)) * self.block
        chunks = self.chunks(wanted)
        stop: int | None = None
        triggers = Triggers()
        try:
            for chunk in map(counted, chunks):
                for start in range(0, len(chunk), self.block):
                    piece = triggers(chunk.part(start, min(start + self.block, len(chunk))))
                    yield piece if stop is None else after_gap(piece, stop, "missing in the recording")
                    stop = piece.stop
        finally:
            chunks.close()
