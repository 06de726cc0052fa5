"""The league of cleaning chains beside the window: run when asked for, over the next seconds or over a recording."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from zeromag.errors import ZeromagError
from zeromag.session import Session, session_from
from zeromag.viz.feed import Feed

SECONDS = 20.0  # of the stream


@dataclass(frozen=True, slots=True)
class Row:
    """How one chain did; None where it is not known."""

    name: str
    error: float | None = None  # of one beat's map at R
    heart_kept: float | None = None
    floor: float | None = None  # T/√Hz
    shielding_db: float | None = None  # 1 to 40 Hz
    noise_gain: float | None = None
    delay_s: float | None = None
    load: float | None = None  # of a core
    keeps: bool = False  # at least nine tenths of the heart
    why: str = ""  # it could not run


RunLeague = Callable[[str, float, Session], list[Row]]  # of a source, over so many seconds; waits until it is there


class League:
    """One run after the other, off the painting thread; `rows` are the newest, `words` say how it stands."""

    def __init__(self, run: RunLeague | None) -> None:
        self._run = run
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="zeromag league")
        self._work: Future[list[Row]] | None = None
        self.rows: list[Row] = []
        self.words = "" if run else "the league is run where the instrument is: zeromag filters SOURCE --league"

    def start(self, feed: Feed) -> None:
        """Run it on what this feed shows, unless one is under way."""
        if self._run is None or self._work is not None:
            return
        source = feed.status.upstream or feed.status.source
        if not source:
            self.words = "no stream yet"
            return
        what = "stream" if feed.status.upstream else "recording"
        self.words = f"sixteen chains are run over {SECONDS:g} s of this {what} …"
        self._work = self._worker.submit(self._run, source, SECONDS, session_from(dict(feed.session)))

    def look(self) -> None:
        """Take the result once it is there."""
        if self._work is None or not self._work.done():
            return
        work, self._work = self._work, None
        error = work.exception()
        if error is None:
            self.rows, self.words = work.result(), ""
        else:
            self.words = str(error) if isinstance(error, ZeromagError) else f"no league: {error!r}"

    def close(self) -> None:
        """Begin no other; one under way ends by itself."""
        self._worker.shutdown(wait=False, cancel_futures=True)
