"""When sensors stop to null their field anew: no samples for a while, another offset after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rezero:
    """Every `period` samples the last `lost` of them are missing."""

    period: int
    lost: int

    def __post_init__(self) -> None:
        if not 0 < self.lost < self.period:
            raise ValueError(f"a re-zero must be shorter than the time between two, got {self.lost} of {self.period}")

    def learnt(self, first: int, samples: int) -> int | None:
        """Return which of these samples is the first after a re-zero, None when there is none."""
        row = -first % self.period
        return row if first + row > 0 and row < samples else None

    def runs(self, first: int, samples: int) -> list[tuple[int, int]]:
        """Return (start, stop) of each run of these samples that is not lost, counted from `first`."""
        kept: NDArray[np.bool_] = (first + np.arange(samples)) % self.period < self.period - self.lost
        edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
        return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
