"""What a stage of the pipeline is: frozen settings that start into a step that holds the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from zeromag.block import Block

Step = Callable[[Block], Block]
Sink = Callable[[Block], None]


@runtime_checkable
class Stage(Protocol):
    """Settings of one operation on blocks.

    `start` is given the first block (its rate, its sensors, its first sample) but does not consume it;
    the step that it returns is then called with every block from that one on. The joined output must not
    depend on where the stream was cut into blocks: bit for bit.
    """

    def start(self, head: Block) -> Step:
        """Return the step for the stream that begins with `head`."""
        ...
