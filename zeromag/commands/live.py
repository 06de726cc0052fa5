"""`zeromag live`: acquire, process and view on this machine."""

from __future__ import annotations

import argparse
import sys

from zeromag.commands.settings import session_of
from zeromag.live.supervisor import LiveRun
from zeromag.output.ready import ready
from zeromag.progress import Progress


def run(flags: argparse.Namespace) -> int:
    """Start all three processes and stay until they have ended."""
    session = session_of(flags)
    if flags.out is not None:
        ready(flags.out)
    view = "none" if flags.headless else "page" if flags.web else _window_or_page()
    if flags.out is None:
        say("nothing is kept: give --out DIR for the recording and the results")
    with Progress("readying kernels (compiled once)", quiet=4.0) as progress:
        return LiveRun(session, view, flags.seconds, flags.out, until_usable=flags.until == "usable").run(say, progress)


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(f"zeromag: {sentence}", file=sys.stderr, flush=True)


def _window_or_page() -> str:
    """Qt aborts the whole process without its libraries or a display: look before it is loaded."""
    from zeromag.viz.display import apt_line, missing_libraries, why_no_display

    missing = missing_libraries()
    if missing:
        say(f"the window needs {', '.join(missing)}, not installed here: {apt_line(missing)}")
    if why := why_no_display():
        say(why)
    if missing or why:
        say("serving the page instead of the window")
        return "page"
    return "window"
