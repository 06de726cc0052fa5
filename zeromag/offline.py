"""The very same chain over a recording, as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable

from zeromag.acquire.source import Source, open_source
from zeromag.errors import InputError
from zeromag.one_thread import one_thread
from zeromag.progress import silent
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan
from zeromag.session import Session

Progress = Callable[[float, float], None]
BLOCK = 1000  # samples; larger than live, since the result does not depend on it


def map_recording(session: Session, progress: Progress = silent, *, block: int = BLOCK) -> Outcome:
    """Return what the scan of the session's source finds; `progress` is told (seconds done, seconds in all).

    Raises
    ------
    InputError
        If the source cannot be read, has no end or holds no sample.
    """
    return map_source(open_source(session.source, block=block), session, progress)


def session_of(source: Source, session: Session) -> Session:
    """Return the session with the calibration that the source was recorded with, unless it has one itself."""
    return session.calibrated_like(getattr(source, "session", {}))


def map_source(source: Source, session: Session, progress: Progress = silent, *, aside: bool = True) -> Outcome:
    """Return what the scan of an open source finds, `session.source` being what it is called.

    `aside` has a second core help; without it one core does everything, to the same bits. BLAS has one thread
    meanwhile, as in every command, since the last bits of its products depend on how many it has.

    Raises
    ------
    InputError
        If the source cannot be read, has no end, says of no magnetometer where it is, or holds no sample.
    """
    seconds = float(getattr(source, "seconds", float("nan")))
    if seconds == float("inf"):
        raise InputError(f"{session.source} has no end; say how long, as in sim:adult?seconds=60")
    magnetic = source.sensors.of_kind("mag")
    if len(magnetic) and not source.sensors.located()[magnetic].any():
        raise InputError(
            f"{session.source} says of no magnetometer where it is, so there is no map; set the positions "
            "(in MNE `info['chs'][…]['loc']`) first, or look at it with `zeromag view` and `zeromag beats`"
        )
    session = session_of(source, session)
    scan: Scan | None = None
    with one_thread():
        for piece in source.blocks():
            scan = scan or Scan(piece, session, aside=aside)
            scan(piece)
            progress((piece.stop - scan.first) / source.rate, seconds)
        if scan is None:
            raise InputError(f"{session.source} holds no sample")
        return scan.finish()
