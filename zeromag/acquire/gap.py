"""How a source says that samples are missing: a jump in `first`, and this event on the block after it."""

from __future__ import annotations

from zeromag.block import Block
from zeromag.event import Event


def after_gap(block: Block, stop: int, why: str) -> Block:
    """Return `block` with the event of the samples missing between `stop` and its first, unless it tells already."""
    missing = block.first - stop
    if missing <= 0 or any(event.kind == "gap" for event in block.events):
        return block
    return block.amended(events=(Event(sample=stop, kind="gap", samples=missing, why=why), *block.events))


def missing_between(last: Block, fresh: Block) -> int:
    """Return how many samples the publisher's restart cost, by the arrival of the blocks before and after it."""
    between = (fresh.t_ns - last.t_ns) * 1e-9 * last.rate
    return max(0, round(between) - len(fresh)) if last.t_ns and fresh.t_ns else 0
