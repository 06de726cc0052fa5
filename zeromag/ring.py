"""The newest seconds of a stream: one writer, any readers, no lock.

A row's place is its stream index modulo the length, so the newest `n` rows are one slice or two::

    rows   [ 6 7 2 3 4 5 ]   after row 7, length 6: the newest four are `4 5` and `6 7`
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block


class Ring:
    """Keeps the last `length` samples of every channel; a gap in the stream is filled with NaN."""

    def __init__(self, length: int, n_channels: int) -> None:
        if length < 1 or n_channels < 1:
            raise ValueError(f"a ring needs at least 1 sample and 1 channel, got {length} and {n_channels}")
        self.length = length
        self._rows = np.empty((length, n_channels))  # memory is the system's until it is written to
        self._begin = 0  # stream index of the first sample ever
        self.stop = 0  # stream index after the newest sample; written last, so that readers never see half a block

    def __call__(self, block: Block) -> None:
        """Take a block; samples older than the newest are refused, since the writer is the only one."""
        if block.data.shape[1] != self._rows.shape[1]:
            raise ValueError(f"a ring of {self._rows.shape[1]} channels got {block.data.shape[1]}")
        missing = block.first - self.stop
        if missing < 0:
            raise ValueError(f"blocks must move forward, got {block.first} after {self.stop}")
        if not self.stop:
            self._begin = block.first
        elif missing:
            self._write(np.full((min(missing, self.length), self._rows.shape[1]), np.nan), block.first)
        self._write(block.data[-self.length :], block.stop)

    def _write(self, rows: NDArray[np.float64], stop: int) -> None:
        at = (stop - len(rows)) % self.length
        fit = min(len(rows), self.length - at)
        self._rows[at : at + fit] = rows[:fit]
        self._rows[: len(rows) - fit] = rows[fit:]
        self.stop = stop

    def newest(
        self, samples: int, *, before: int = 0, every: int = 1, columns: Sequence[int] | None = None
    ) -> tuple[NDArray[np.float64], int]:
        """Return a copy of the newest rows (samples, n_channels), NaN before the first, and their first index.

        But for the last `before`, of them every so many, and of all channels these. A copy torn by the writer is
        taken again: half the length is always safe to read at leisure.
        """
        wanted = min(samples, self.length - before)
        while True:
            stop = self.stop
            first = stop - before - wanted
            rows = self._copied(first, wanted, every, slice(None) if columns is None else list(columns))
            if self.stop - stop <= self.length - wanted - before:
                return rows, first

    def _copied(self, first: int, count: int, every: int, columns: slice | list[int]) -> NDArray[np.float64]:
        at = first % self.length
        fit = min(count, self.length - at)
        old = self._rows[at : at + fit : every, columns]
        new = self._rows[-fit % every : count - fit : every, columns]
        rows = np.empty((len(old) + len(new), old.shape[1]))  # a picked column's own order would not suit kernels
        rows[: len(old)], rows[len(old) :] = old, new
        begin = self._begin if self.stop else first + count
        rows[: -(-max(0, begin - first) // every)] = np.nan
        return rows
