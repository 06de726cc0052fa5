"""Process A: owns the device, keeps every block first, then gives it to whoever listens."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zeromag.acquire.desk import Desk
from zeromag.acquire.journal import WARN_SECONDS, Journal
from zeromag.acquire.lasting import lasting
from zeromag.acquire.message import Description
from zeromag.acquire.pace import paced
from zeromag.acquire.publisher import ANYWHERE_LOCAL, Publisher
from zeromag.acquire.recorder import Announce, Recorder
from zeromag.acquire.source import Source, open_source, scheme_of
from zeromag.acquire.steady import Steady
from zeromag.acquire.triggers import Triggers
from zeromag.block import Block
from zeromag.errors import SourceLostError, ZeromagError

if TYPE_CHECKING:
    from zeromag.acquire.lsl import LslOutlet

CATCH_UP_SECONDS: Final = 30.0  # consumers may take to read what they missed, after the end


def acquire(
    source_spec: str,
    *,
    bind: str = ANYWHERE_LOCAL,
    record: Path | None = None,
    block: int = 10,
    pace: bool = True,
    seconds: float | None = None,
    stop: threading.Event,
    announce: Announce,
    session: dict[str, Any],
    keys: Path | None = None,
    lsl: str = "",
) -> dict[str, Any]:
    """Acquire until the source ends, `seconds` of stream have passed or `stop` is set; return what happened.

    `announce` is told `endpoint` once blocks can be had, `journal` and `recording` as they come to be, and
    `say` with a sentence for people. `lsl` names a Lab Streaming Layer stream that the blocks go out on too.

    Raises
    ------
    ZeromagError
        The source, the link or the disk failed; what had come until then is recorded and published.
    """
    from zeromag import __version__

    source = open_source(source_spec, block=block, patient=True)
    session = _with_calibration(session, source)
    description = Description(source.sensors, source.rate, session=session, version=__version__, source=source_spec)
    with ExitStack() as stack:
        bytes_a_second = source.rate * len(source.sensors) * (4 if source.sensors.counted else 8)
        recorder = Recorder(record, announce, bytes_a_second)
        desk = Desk(recorder, session, None if record is None else recorder.opened())
        stack.callback(desk.release)
        publisher = stack.enter_context(Publisher(description, bind=bind, journal=desk.journal, keys=keys, desk=desk))
        send = stack.enter_context(_outlet(lsl, source)) if lsl else None
        announce({"endpoint": publisher.endpoint})
        stream = lasting(source, _reopening(source_spec, block), announce, stop)
        blocks = paced(stream, 1.0 if pace else math.inf, sleep=stop.wait)
        samples, failure = _carry(blocks, publisher, desk, seconds, stop, announce, send)
        desk.close()
        publisher.end(samples, str(failure) if failure else "stopped" if stop.is_set() else "the source ended")
        summary: dict[str, Any] = {"samples": samples, "rate_hz": source.rate, "journal": None, "recording": None}
        journal = desk.journal
        if not publisher.wait_for_consumers(CATCH_UP_SECONDS):
            announce({"say": f"a consumer did not take everything within {CATCH_UP_SECONDS:g} s of the end"})
    if journal is not None and samples:
        summary |= {"journal": str(journal.path), "recording": recorder.make(journal.path)}
    recorder.wait()
    if failure is not None:
        raise failure
    return summary


def _with_calibration(session: dict[str, Any], source: Source) -> dict[str, Any]:
    """Return the session with the calibration that a recording was made with, so that whoever maps it has it."""
    known = getattr(source, "session", {}).get("calibration")
    return session | {"calibration": known} if known and not session.get("calibration") else session


def _carry(
    blocks: Generator[Block, None, None],
    publisher: Publisher,
    desk: Desk,
    seconds: float | None,
    stop: threading.Event,
    announce: Announce,
    send: Callable[[Block], None] | None,
) -> tuple[int, ZeromagError | None]:
    """Publish block by block; return the index after the last sample, and what ended it if nobody wanted that."""
    samples, first = 0, None
    watch, triggers = _watching(desk, announce), Triggers()
    steady = Steady(publisher.description.sensors, publisher.description.rate, announce)
    with closing(blocks):
        try:
            for block in blocks:
                if stop.is_set():
                    break
                piece = steady(triggers(block))
                first = block.first if first is None else first
                if piece is None:
                    seconds = None if seconds is None else seconds - (block.first - first) / steady.rate
                    first, steady, piece = block.first, Steady(block.sensors, block.rate, announce), block
                    announce({"say": _another(block, publisher.description)})
                    desk.begin_anew(block.sensors, block.rate, publisher)
                left = len(piece) if seconds is None else round(seconds * piece.rate) - (piece.first - first)
                if left <= 0:
                    break
                piece = piece if left >= len(piece) else piece.part(0, left)
                publisher(desk.before(piece, publisher))
                if send is not None:
                    send(piece)
                samples = piece.stop
                watch()
        except ZeromagError as error:
            return samples, error
        except Exception as error:  # noqa: BLE001 - a plugged-in source may raise anything; what came is kept
            return samples, SourceLostError(f"the source failed after sample {samples}: {error!r}")
    return samples, None


def _outlet(name: str, source: Source) -> LslOutlet:
    from zeromag.acquire.lsl import LslOutlet

    return LslOutlet(source.sensors, source.rate, name)


def _reopening(spec: str, block: int) -> Callable[[], Source] | None:
    """Return what opens a device again; a file does not come back, and another zeromag is followed by its reader."""
    lives = scheme_of(spec) not in {"", "sim", "loop", "tcp", "ipc"}
    return (lambda: open_source(spec, block=block)) if lives else None


def _another(block: Block, described: Description) -> str:
    return (
        f"the source gives {len(block.sensors)} channels at {block.rate:g} Hz from sample {block.first} on, "
        f"not {len(described.sensors)} at {described.rate:g} Hz: this is another stream, and another recording"
    )


def _watching(desk: Desk, announce: Announce) -> Callable[[], None]:
    """Return what tells once a recording that the disk will be full soon."""
    told: list[Journal] = []

    def watch() -> None:
        journal = desk.journal
        if journal is not None and journal.seconds_left < WARN_SECONDS and journal not in told:
            told.append(journal)
            left = f"{journal.seconds_left / 60:.0f} min" if journal.seconds_left > 60 else "less than a minute"
            announce({"say": f"the disk will be full in {left} at this pace: make room"})

    return watch
