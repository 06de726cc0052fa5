"""One stream out of a source that may be lost and come back: its clock fitted, what was missed told as a gap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

from zeromag.acquire.clock import ClockFit
from zeromag.acquire.gap import after_gap, missing_between
from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.errors import SourceLostError, ZeromagError
from zeromag.event import Event

LOOK_AGAIN: Final = 0.5  # s between two tries to open a source that was lost
PATIENCE: Final = 600.0  # s of trying before it is given up
_OFF_PPM: Final = 1000.0  # 0.1 %: no crystal is that bad, the nominal rate is wrong
Announce = Callable[[dict[str, Any]], None]


def lasting(
    source: Source, reopen: Callable[[], Source] | None, announce: Announce, stop: threading.Event
) -> Generator[Block, None, None]:
    """Yield the blocks of a source, and those of the one that `reopen` gives when it is lost, in one count.

    Without `reopen`, or before the first block, a failure is the caller's.
    """
    last: Block | None = None
    again: Source | None = source
    while again is not None:
        shift: int | None = 0 if last is None else None
        try:
            with closing(_timed(again, announce)) as blocks:
                for block in blocks:
                    if shift is None and last is not None:
                        shift = last.stop - block.first + missing_between(last, block)
                        announce({"say": f"the source is back; {block.first + shift - last.stop} samples are missing"})
                    fresh = _shifted(block, shift or 0)
                    last = fresh if last is None else after_gap(fresh, last.stop, "the source gave nothing")
                    yield last
            return
        except Exception as error:  # a plugged-in source may raise anything
            if reopen is None or last is None:
                raise
            why = error if isinstance(error, ZeromagError) else repr(error)
            announce({"say": f"the source was lost after sample {last.stop} ({why}): waiting for it to come back"})
            again = _found(reopen, stop, error)


def _found(reopen: Callable[[], Source], stop: threading.Event, lost: Exception) -> Source | None:
    """Return the source when it can be opened again, None when nobody waits any more."""
    tries = round(PATIENCE / LOOK_AGAIN)
    for _ in range(tries):
        if stop.wait(LOOK_AGAIN):
            return None
        try:
            return reopen()
        except Exception as error:  # noqa: BLE001 - it is not there yet, in whatever words a plug-in has for that
            lost = error
    raise SourceLostError(f"the source did not come back within {PATIENCE:g} s: {lost}") from lost


def _shifted(block: Block, shift: int) -> Block:
    if not shift:
        return block
    events = tuple(replace(event, sample=event.sample + shift) for event in block.events)
    return block.amended(first=block.first + shift, events=events)


def _timed(source: Source, announce: Announce) -> Generator[Block, None, None]:
    """Yield a device's blocks with their arrival freed of jitter; tell once when its rate is not what it says.

    Blocks without an arrival come from a file or a formula and stay as they are.
    """
    clock, told = ClockFit(source.rate), False
    with closing(source.blocks()) as blocks:
        for block in blocks:
            if not block.t_ns:
                yield block
                continue
            if block.rate != clock.rate:
                clock, told = ClockFit(block.rate), False
            timed = block.amended(t_ns=clock(block.stop, block.t_ns))
            if abs(clock.ppm) > _OFF_PPM and not told:
                told = True
                why = f"the source gives {clock.measured_rate:.2f} samples a second, not {block.rate:g}"
                announce({"say": why})
                timed = timed.amended(events=(*timed.events, Event(timed.first, "source/rate", why=why)))
            yield timed
