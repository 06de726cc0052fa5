"""A source without anything that people wrote into it: samples, geometry and kinds of events stay, words go."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final

from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.event import Event
from zeromag.sensors import SensorArray

FRAMES: Final = frozenset({"chest", "device"})  # names of ours; another one is somebody's own words
KINDS: Final = frozenset({"gap", "mark", "trigger", "mains", "beat", "channel"})  # first word of a kind of ours


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Another source's samples, bit for bit, without free text and without clock times."""

    source: Source

    @property
    def sensors(self) -> SensorArray:
        """The same array; a coordinate frame with a name of its own becomes `unnamed`, a reason becomes `bad`."""
        array = self.source.sensors
        return replace(
            array,
            status=tuple("good" if status == "good" else "bad" for status in array.status),
            frame=array.frame if array.frame in FRAMES else "unnamed",
        )

    @property
    def rate(self) -> float:
        """Samples per second, Hz."""
        return self.source.rate

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the same samples with events that only say their kind."""
        sensors = self.sensors
        inner = self.source.blocks()
        try:
            for block in inner:
                events = tuple(_wordless(event) for event in block.events)
                yield replace(block, sensors=sensors, events=events, t_ns=0)
        finally:
            inner.close()


def _wordless(event: Event) -> Event:
    known = event.kind.split("/")[0] in KINDS
    return replace(event, kind=event.kind if known else "mark", why="")
