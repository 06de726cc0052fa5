"""What viewers are sent of a fast stream: as many cleaned samples as its low-pass leaves something in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zeromag.acquire.message import Result
from zeromag.block import Block
from zeromag.event import Event
from zeromag.live.broadcast import Listener


class Sparse:
    """A listener that passes on every `factor`-th sample, those whose index is a multiple of it, and all results.

    Rate and indices are those of what is passed on: the old ones over `factor`. A sample is taken as it is, at once:
    behind the low-pass that the factor was chosen for (`factor_for`), of order four, less than 5e-4 of what lies above
    half the new rate folds back into its band. Events come with the sample at or after theirs.
    """

    def __init__(self, listener: Listener, factor: int) -> None:
        self._listener, self.factor = listener, factor
        self._events: tuple[Event, ...] = ()  # of blocks without a sample to pass on

    def __call__(self, block: Block) -> None:
        """Pass on what there is to pass on of a block."""
        if self.factor == 1 and not self._events:
            self._listener(block)
            return
        first, stop = self._index(block.first), self._index(block.stop)
        events = self._events + block.events
        if first == stop:
            self._events = events
            return
        self._events = ()
        at = slice(first * self.factor - block.first, None, self.factor)
        told = tuple(
            replace(event, sample=min(max(self._index(event.sample), first), stop - 1), samples=self._length(event))
            for event in events
        )
        mask = None if block.mask is None else block.mask[at]
        data = np.ascontiguousarray(block.data[at])
        self._listener(Block(data, first, block.rate / self.factor, block.sensors, mask, told, block.t_ns))

    def result(self, result: Result) -> None:
        """Pass on what was made of the samples; one that belongs to a sample tells it in the new count."""
        sample = result.fields.get("sample")
        if self.factor > 1 and sample is not None:
            whole = isinstance(sample, int)
            told = sample // self.factor if whole else sample / self.factor
            result = replace(result, fields={**result.fields, "sample": told})
        self._listener.result(result)

    def end(self, samples: int, reason: str = "") -> None:
        """Pass on that the stream is over."""
        self._listener.end(self._index(samples), reason)

    def _index(self, sample: int) -> int:
        """Return the index of the first sample passed on that is not before this one."""
        return -(-sample // self.factor)

    def _length(self, event: Event) -> int:
        """Return how many samples of the new count an event lasts, at least one of one that lasts."""
        return max(1, round(event.samples / self.factor)) if event.samples else 0
