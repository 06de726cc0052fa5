"""The newest seconds of a stream: one writer, any readers, no lock.

Every row is written twice, one length apart, so that the newest `n` rows are always one slice::

    rows   [ 6 7 2 3 4 5 | 6 7 2 3 4 5 ]   after row 7, length 6
                  ^------------^            the newest six, in order
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block


class Ring:
    """Keeps the last `length` samples of every channel; a gap in the stream is filled with NaN."""

    def __init__(self, length: int, n_channels: int) -> None:
        if length < 1 or n_channels < 1:
            raise ValueError(f"a ring needs at least 1 sample and 1 channel, got {length} and {n_channels}")
        self.length = length
        self._rows = np.full((2 * length, n_channels), np.nan)
        self.stop = 0  # stream index after the newest sample; written last, so that readers never see half a block

    def __call__(self, block: Block) -> None:
        """Take a block; samples older than the newest are refused, since the writer is the only one."""
        if block.data.shape[1] != self._rows.shape[1]:
            raise ValueError(f"a ring of {self._rows.shape[1]} channels got {block.data.shape[1]}")
        missing = block.first - self.stop
        if missing < 0:
            raise ValueError(f"blocks must move forward, got {block.first} after {self.stop}")
        if missing and self.stop:
            self._write(np.full((min(missing, self.length), self._rows.shape[1]), np.nan), block.first)
        self._write(block.data[-self.length :], block.stop)

    def _write(self, rows: NDArray[np.float64], stop: int) -> None:
        at = np.arange(stop - len(rows), stop) % self.length
        self._rows[at] = rows
        self._rows[at + self.length] = rows
        self.stop = stop

    def newest(self, samples: int, *, before: int = 0, every: int = 1) -> tuple[NDArray[np.float64], int]:
        """Return a copy of the newest rows (samples, n_channels), NaN before the first, and their first index.

        But for the last `before`, and of them every so many. A copy torn by the writer is taken again: half the
        length is always safe to read at leisure.
        """
        wanted = min(samples, self.length - before)
        while True:
            stop = self.stop
            end = stop % self.length + self.length - before
            rows = self._rows[end - wanted : end : every].copy()
            if self.stop - stop <= self.length - wanted - before:
                return rows, stop - before - wanted
