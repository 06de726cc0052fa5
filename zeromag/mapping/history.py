"""The newest samples of a stream, always one contiguous slice, addressed by their index in the stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class History:
    """Keeps at least the last `length` rows; what is older is forgotten.

    Rows are appended to a buffer of twice the length; when it is full the newer half moves to the front, so
    that a row is copied twice in its life and every span is one slice.
    """

    def __init__(self, length: int, n_channels: int, first: int) -> None:
        if length < 1:
            raise ValueError(f"a history keeps at least 1 sample, got {length}")
        self.length = length
        self.stop = first  # stream index after the newest row
        self._rows: NDArray[Any] = np.zeros((2 * length, n_channels))
        self._used = 0

    @property
    def start(self) -> int:
        """Stream index of the oldest row that is kept for certain, however the stream was cut into blocks."""
        return self.stop - min(self._used, self.length)

    def append(self, rows: NDArray[Any]) -> None:
        """Take the rows that follow; at most `length` at once."""
        if len(rows) > self.length:
            raise ValueError(f"a history of {self.length} samples takes no more at once, got {len(rows)}")
        if self._used + len(rows) > len(self._rows):
            keep = self.length
            self._rows[:keep] = self._rows[self._used - keep : self._used].copy()
            self._used = keep
        self._rows[self._used : self._used + len(rows)] = rows
        self._used += len(rows)
        self.stop += len(rows)

    def holds(self, start: int, stop: int) -> bool:
        """Return whether all rows of this span are there."""
        return self.start <= start and stop <= self.stop

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows `start:stop` of the stream as a view: (stop - start, n_channels); do not keep it."""
        if not self.holds(start, stop):
            raise ValueError(f"rows {start}:{stop} were wanted, {self.start}:{self.stop} are kept")
        end = self._used - (self.stop - stop)
        return self._rows[end - (stop - start) : end]
