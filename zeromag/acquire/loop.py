"""A source that begins again when it ends: `loop:SOURCE`, held in memory."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.event import Event
from zeromag.sensors import SensorArray

MOST_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Loop:
    """The blocks of one round, again and again; an event `loop` stands at each seam, where the signal may step."""

    sensors: SensorArray
    rate: float  # Hz
    round: tuple[Block, ...]
    session: dict[str, Any]

    def blocks(self) -> Generator[Block, None, None]:
        """Yield rounds without end; the count of samples goes on."""
        length = self.round[-1].stop - self.round[0].first
        yield from self.round
        turn = 0
        while True:
            turn += 1
            for k, block in enumerate(self.round):
                first = block.first + turn * length
                events = tuple(replace(event, sample=event.sample + turn * length) for event in block.events)
                seam = (Event(first, "loop", why="the recording begins again"),) if k == 0 else ()
                yield block.amended(first=first, events=seam + events)


def loop(spec: str, *, block: int = 10) -> Loop:
    """Return the endless source over `loop:SOURCE`.

    Raises
    ------
    InputError
        If SOURCE cannot be read, has no sample, does not end or is too long to be held.
    """
    from zeromag.acquire.source import open_source

    source = open_source(spec.removeprefix("loop:"), block=block)
    blocks = source.blocks()
    held: list[Block] = []
    size = 0
    try:
        for piece in blocks:
            if piece.t_ns:
                raise InputError(f"{spec}: a live stream cannot be looped; record it first")
            held.append(piece)
            size += piece.data.nbytes + (0 if piece.counts is None else piece.counts.nbytes)
            if size > MOST_BYTES:
                raise InputError(f"{spec} is longer than the 2 GB that a loop can hold: give a shorter part")
    finally:
        blocks.close()
    if not held:
        raise InputError(f"{spec} holds no sample")
    return Loop(source.sensors, source.rate, tuple(held), getattr(source, "session", {}))
