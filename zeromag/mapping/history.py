"""The newest samples of a stream, addressed by their index in the stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class History:
    """Keeps the last `length` rows; what is older is forgotten.

    A row's place is its stream index modulo the length: nothing is ever moved, and a span is one slice or two.
    """

    def __init__(self, length: int, n_channels: int, first: int, kind: DTypeLike = np.float64) -> None:
        if length < 1:
            raise ValueError(f"a history keeps at least 1 sample, got {length}")
        self.length = length
        self.stop = first  # stream index after the newest row
        self._first = first
        self._rows: NDArray[Any] = np.empty((length, n_channels), dtype=kind)

    @property
    def start(self) -> int:
        """Stream index of the oldest row that is kept, however the stream was cut into blocks."""
        return max(self._first, self.stop - self.length)

    def append(self, rows: NDArray[Any]) -> None:
        """Take the rows that follow; at most `length` at once."""
        if len(rows) > self.length:
            raise ValueError(f"a history of {self.length} samples takes no more at once, got {len(rows)}")
        at = self.stop % self.length
        fit = min(len(rows), self.length - at)
        self._rows[at : at + fit] = rows[:fit]
        self._rows[: len(rows) - fit] = rows[fit:]
        self.stop += len(rows)

    def holds(self, start: int, stop: int) -> bool:
        """Return whether all rows of this span are there."""
        return self.start <= start and stop <= self.stop

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows `start:stop` of the stream, to be read at once: (stop - start, n_channels)."""
        if not self.holds(start, stop):
            raise ValueError(f"rows {start}:{stop} were wanted, {self.start}:{self.stop} are kept")
        at, count = start % self.length, stop - start
        if at + count <= self.length:
            return self._rows[at : at + count]
        return np.concatenate([self._rows[at:], self._rows[: at + count - self.length]])
