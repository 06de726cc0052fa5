"""Rising steps of trigger channels as events, in the block that they happen in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.event import Event

QUIET_SECONDS: Final = 0.01  # after an analogue edge: contacts bounce and edges are slow
_LEAST_STEP: Final = 0.75  # of an analogue channel; what is less is noise
_OF_THE_LAST: Final = 0.25  # of the last step, too: noise grows with the range


class Triggers:
    """Callable with each block of one stream; gives it back with an event `trigger/VALUE` for each step upwards.

    Values are whole numbers, and each step is one event. From its first value that is no whole number on a channel is
    analogue: a step is then more than the noise, stands where it begins, and none follows within 10 ms of another
    edge. A level that stands at the beginning or after a gap is no step, and what a block tells already is not told
    twice: a recording made of a stream tells the same.
    """

    def __init__(self) -> None:
        self._last: Block | None = None
        self._columns: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._values: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._edges: dict[int, _Edge] = {}  # of analogue channels, by their place among the trigger channels

    def __call__(self, block: Block) -> Block:
        """Return the block with its triggers among its events."""
        fresh = not block.follows(self._last)
        if fresh:
            self._columns, self._edges = block.sensors.of_kind("stim"), {}
        self._last = block
        if not len(self._columns):
            return block
        data = np.nan_to_num(block.data[:, self._columns], posinf=0, neginf=0)
        values = np.rint(data).astype(np.int64)
        before = np.vstack([values[:1] if fresh else self._values, values[:-1]])
        analogue = self._analogue(data, values, before)
        self._values = values[-1:]
        steps = [(int(t), int(c), int(values[t, c])) for t, c in np.argwhere((values > before) & ~analogue)]
        quiet = round(QUIET_SECONDS * block.rate)
        for c, edge in self._edges.items():
            rows = np.flatnonzero(analogue[:, c])
            steps += [(t - block.first, c, value) for t, value in edge.steps(data[rows, c], block.first + rows, quiet)]
        known = {(event.sample, event.channel) for event in block.events if event.kind.startswith("trigger")}
        names = block.sensors.names
        events = [
            Event(block.first + t, f"trigger/{value}", channel=names[self._columns[c]])
            for t, c, value in sorted(steps)
            if (block.first + t, names[self._columns[c]]) not in known
        ]
        return block.amended(events=(*block.events, *events)) if events else block

    def _analogue(
        self, data: NDArray[np.float64], values: NDArray[np.int64], before: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which samples come at or after the first of their channel that was no whole number."""
        analogue = np.logical_or.accumulate(data != values, axis=0)
        for c in self._edges:
            analogue[:, c] = True
        for c in np.flatnonzero(analogue[-1]).tolist():
            if c not in self._edges:
                self._edges[c] = _Edge(float(before[int(np.argmax(analogue[:, c])), c]))
        return analogue


@dataclass(slots=True)
class _Edge:
    """Where an analogue channel stands, how high its last step was, and until which sample it is not looked at."""

    level: float
    height: float = 0.0
    until: int = 0

    def steps(self, data: NDArray[np.float64], samples: NDArray[np.intp], quiet: int) -> list[tuple[int, int]]:
        """Return the sample and the value of each step upwards."""
        found = []
        for sample, value in zip(samples.tolist(), data.tolist(), strict=True):
            least = max(_LEAST_STEP, _OF_THE_LAST * self.height)
            if value >= self.level + least:
                if sample >= self.until:
                    found.append((sample, round(value)))
                    self.height = 0.0
                self.height = max(self.height, value - self.level)
                self.level, self.until = value, sample + quiet
            elif value <= self.level - least:
                self.level, self.until = value, sample + quiet
        return found
