"""The map of this moment: the newest cleaned sample above the resting level before the last beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.live_map import Begin, LiveMap
from zeromag.mapping.mapper import Mapper
from zeromag.ring import Ring

KEPT = 3.0  # s of the stream; a beat is decided well within
ENOUGH = 1000.0  # samples a second that are kept
FEW = 200.0  # rows a second that a mean for the eye is made of
REST = (0.10, 0.06)  # s before R between which the heart rests (the PR segment)


class MapNow:
    """Callable with each cleaned block and its beats; `now` draws. For eyes only: results come from averages."""

    def __init__(self, head: Block, mapper: Mapper) -> None:
        self._every = max(1, int(head.rate / ENOUGH))  # samples, of which one is kept
        self._rate = head.rate / self._every
        self._ring = Ring(round(KEPT * self._rate), len(head.sensors))
        self.why_not = mapper.why_not(head.sensors)
        self._mapped = None if self.why_not else mapper.start(head)
        self._block = head
        self._level: NDArray[np.float64] | None = None

    def __call__(self, cleaned: Block, beats: Sequence[Beat]) -> None:
        """Take the newest samples; a beat gives a new resting level."""
        if self._block.stop < cleaned.first:
            self._level = None  # the filters start anew after a gap, and so does the level
        self._block = cleaned
        self._keep(cleaned)
        for beat in beats:
            start, stop = (round(beat.sample / self._every - seconds * self._rate) for seconds in REST)
            before = self._ring.stop - stop
            if before < 0 or before + stop - start >= self._ring.length:
                continue
            rows, _ = self._ring.newest(stop - start, before=before)
            if np.isfinite(rows[:, 0]).any():
                self._level = _mean(rows)

    def now(self, begin: Begin | None = None) -> FieldMap | None:
        """Return the map of the newest sample; None when the array, or too many bad channels, allow none.

        With `begin` also None while what the map needs is not made yet: that does so beside the stream.
        """
        if self._mapped is None or not (begin is None or self._is_ready(self._mapped, begin)):
            return None
        level = self._level if self._level is not None else self._middle()
        newest = self._block.part(len(self._block) - 1, len(self._block))
        try:
            return self._mapped(newest.with_data(newest.data - level))
        except ValueError:
            return None  # too few channels are good at this moment; the channels' own messages say why

    def _is_ready(self, mapped: LiveMap, begin: Begin) -> bool:
        try:
            return mapped.ready(self._block, begin)
        except ValueError:
            return False  # as below

    def _keep(self, cleaned: Block) -> None:
        """Keep every so manieth sample, at fixed places of the stream."""
        skip = -cleaned.first % self._every
        if self._every == 1:
            self._ring(cleaned)
        elif skip < len(cleaned):
            rows, first = cleaned.data[skip :: self._every], (cleaned.first + skip) // self._every
            self._ring(Block(rows, first, self._rate, cleaned.sensors))

    def _middle(self) -> NDArray[np.float64]:
        """Return the mean of the newest second, of which some hundred rows are enough."""
        return _mean(self._ring.newest(round(self._rate), every=max(1, int(self._rate / FEW)))[0])


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the rows that are there (a gap is NaN): (n_channels,)."""
    there = np.isfinite(rows)
    mean: NDArray[np.float64] = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return mean
