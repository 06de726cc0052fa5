"""What processes tell each other besides blocks: what a stream is, what was made of it, that it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.sensors import SensorArray


class Stamp(NamedTuple):
    """Where a frame stands: acquisition, start of the publisher, place in the row."""

    stream: int
    epoch: int
    sequence: int
    wall_ns: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """What a stream is: its array, its rate, the session it runs under, where gaps are repaired."""

    sensors: SensorArray
    rate: float  # Hz
    session: dict[str, Any] = field(default_factory=dict)
    replay: str = ""  # endpoint of the replay server; empty: none
    version: str = ""  # of zeromag, at the sender
    source: str = ""  # what the sender reads from
    control: str = ""  # endpoint that takes orders; empty: none
    recording: bool = False  # whether the acquisition keeps it


@dataclass(frozen=True, slots=True)
class Result:
    """What the processing makes of a stream: a beat, a map, a status."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)  # JSON-like
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The stream is over."""

    samples: int  # index after the last sample
    reason: str = ""


Message = Block | Description | Result | End
