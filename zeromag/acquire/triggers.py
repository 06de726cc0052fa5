"""Rising steps of trigger channels as events, in the block that they happen in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.event import Event


class Triggers:
    """Callable with each block of one stream; gives it back with an event `trigger/VALUE` for each step upwards.

    Values are whole numbers, rounded where a channel is analogue. A level that stands at the beginning or after a
    gap is no step, and what a block tells already is not told twice: a recording made of a stream tells the same.
    """

    def __init__(self) -> None:
        self._last: Block | None = None
        self._columns: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._values: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def __call__(self, block: Block) -> Block:
        """Return the block with its triggers among its events."""
        fresh = not block.follows(self._last)
        if fresh:
            self._columns = block.sensors.of_kind("stim")
        self._last = block
        if not len(self._columns):
            return block
        values = np.rint(np.nan_to_num(block.data[:, self._columns], posinf=0, neginf=0)).astype(np.int64)
        before = np.vstack([values[:1] if fresh else self._values, values[:-1]])
        self._values = values[-1:]
        known = {(event.sample, event.channel) for event in block.events if event.kind.startswith("trigger")}
        names = block.sensors.names
        events = [
            Event(block.first + int(t), f"trigger/{values[t, c]}", channel=names[self._columns[c]])
            for t, c in np.argwhere(values > before)
            if (block.first + int(t), names[self._columns[c]]) not in known
        ]
        return replace(block, events=(*block.events, *events)) if events else block
