"""Keeps a stream on the array it was described with when its source gives other channels, or no numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from zeromag.block import Block
from zeromag.event import Event
from zeromag.sensors import SensorArray

Announce = Callable[[dict[str, Any]], None]


class Steady:
    """Callable with each block; gives it on the described array, None when it is of another stream altogether.

    A channel that the source gives no more is masked, one that it gives anew is left out, so that a recording
    goes on with the sensors it has; another rate, or no magnetometer in common, is another stream. Values that
    are no numbers stay as they came and are masked. Each is an event, and said, once.
    """

    def __init__(self, sensors: SensorArray, rate: float, announce: Announce) -> None:
        self.sensors, self.rate = sensors, rate
        self._announce = announce
        self._given, self._other = sensors, False  # what the source gave last, and whether that is not the array
        self._broken: frozenset[int] = frozenset()  # columns that gave no numbers last

    def __call__(self, block: Block) -> Block | None:
        """Return the block as the stream knows it."""
        if block.sensors is not self._given and not block.sensors.same_as(self._given):
            if not self._fits(block):
                return None
            block = block.amended(events=(*block.events, self._changed(block)))
        self._given = block.sensors
        if block.rate != self.rate:
            return None
        if self._other:
            block = self._placed(block)
        if self._broken or (block.counts is None and not np.isfinite(block.data).all()):
            block = self._masked(block)
        return block

    def _fits(self, block: Block) -> bool:
        magnetometers = {self.sensors.names[c] for c in self.sensors.of_kind("mag").tolist()}
        return block.rate == self.rate and not magnetometers.isdisjoint(block.sensors.names)

    def _changed(self, block: Block) -> Event:
        """Go over to what the source gives now; return that as an event."""
        before, now = set(self._given.names), set(block.sensors.names)
        self._given, self._other = block.sensors, not block.sensors.same_as(self.sensors)
        gone, new = (", ".join(sorted(names)) for names in (before - now, now - before))
        changes = [f"without {gone}"] * bool(gone) + [f"with {new}"] * bool(new) or ["with other places"]
        why = f"the source gives {len(now)} channels, {' and '.join(changes)}"
        self._announce({"say": f"{why}, from sample {block.first} on"})
        return Event(block.first, "source/changed", why=why)

    def _placed(self, block: Block) -> Block:
        """Return the block with its columns where the described array has them."""
        names = block.sensors.names
        data = np.zeros((len(block), len(self.sensors)))
        mask = np.ones(data.shape, dtype=np.bool_)
        for c, name in enumerate(self.sensors.names):
            if name in names:
                data[:, c] = block.data[:, names.index(name)]
                mask[:, c] = block.bad()[:, names.index(name)]
        return replace(block, data=data, mask=mask, sensors=self.sensors)

    def _masked(self, block: Block) -> Block:
        """Return the block with what is no number masked; tell which channels began or ceased to give such."""
        wrong = ~np.isfinite(block.data)
        broken = frozenset(np.flatnonzero(wrong.any(axis=0)).tolist())
        if broken - self._broken and not self._broken:
            names = ", ".join(self.sensors.names[c] for c in sorted(broken)[:5])
            self._announce({"say": f"the source gives no numbers on {names} from sample {block.first} on"})
        fresh, healed = sorted(broken - self._broken), sorted(self._broken - broken)
        self._broken = broken
        events = [self._told(block, c, "source/nan", "no numbers", int(np.argmax(wrong[:, c]))) for c in fresh]
        events += [self._told(block, c, "source/good", "numbers again", 0) for c in healed]
        mask = wrong if block.mask is None else block.mask | wrong
        return replace(block, mask=mask if wrong.any() else block.mask, events=(*block.events, *events))

    def _told(self, block: Block, column: int, kind: str, why: str, row: int) -> Event:
        return Event(block.first + row, kind, channel=self.sensors.names[column], why=why)
