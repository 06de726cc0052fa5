"""Something that happened at a sample: a gap, a beat, a channel that turned bad, a mark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream.

    `kind` is a path with the general word first: `gap`, `beat/normal`, `beat/ectopic`, `channel/jumping`,
    `channel/good`, `mark`, `trigger`, `mains`, `pause`.
    """

    sample: int  # index in the stream, gaps counted
    kind: str
    samples: int = 0  # how long it lasted
    channel: str = ""  # empty: the whole array
    why: str = ""  # one short phrase for people

    def __post_init__(self) -> None:
        if not self.kind:
            raise ValueError("an event needs a kind, got ''")
        if self.samples < 0:
            raise ValueError(f"an event lasts 0 samples or more, got {self.samples}")
