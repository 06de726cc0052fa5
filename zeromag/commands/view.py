"""`zeromag view`: process C, the window or the page; on a running stream, or on a recording to look back."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from zeromag.acquire.endpoint import is_local
from zeromag.commands.lifeline import Lifeline, lifeline
from zeromag.commands.settings import session_of
from zeromag.errors import InputError
from zeromag.session import Session

if TYPE_CHECKING:
    from zeromag.viz.page import Door

NICE = 10  # of a process that shows a running stream


def run(flags: argparse.Namespace) -> int:
    """Show until the window is closed or somebody asks to stop."""
    with lifeline(flags.leash) as line:
        if flags.scan_to is not None:
            return _scan(flags, line)
        if not flags.web and not flags.leash:  # who holds the leash has asked already
            from zeromag.viz.display import check_display

            check_display()  # before Qt is imported, which is what fails where it is not whole
        if flags.source is not None:
            return _review(flags, line)
        return _follow(flags, line)


def _follow(flags: argparse.Namespace, line: Lifeline) -> int:
    _step_back()
    if flags.web:
        from zeromag.viz.page import serve_page
    else:
        from zeromag.viz.raster import warm
        from zeromag.viz.show import open_window

        warm()  # the processing does the same meanwhile
    endpoint, control = flags.endpoint, flags.control
    if flags.leash:
        told = line.told()
        if told is None:
            return 0
        orders = json.loads(told)
        endpoint, control = orders["endpoint"], True  # who starts an acquisition on this machine may control it
    if endpoint is None:
        raise InputError("view needs a recording, or --from ENDPOINT: the address that `zeromag process` printed")
    if flags.web:
        # a stream on this machine needs no key; the page's visitors may
        keys = None if is_local(endpoint) else flags.keys
        return serve_page(endpoint, stop=line.stop, announce=line.announce, keys=keys, door=_door(flags))
    from zeromag.acquire.control import Control
    from zeromag.live.league_of import league_of
    from zeromag.live.scan_report import report_of

    here = is_local(endpoint)
    with Control(endpoint, flags.keys) as hand:  # connects with the first order
        return open_window(
            endpoint, stop=line.stop, announce=line.announce, keys=flags.keys, hand=hand if control else None,
            make_report=report_of if here else None, run_league=league_of if here else None,
        )  # fmt: skip


def _review(flags: argparse.Namespace, line: Lifeline) -> int:
    """Look at a recording while a process of its own scans it."""
    from pathlib import Path

    from zeromag.live.recorded_session import recorded_session
    from zeromag.live.review import reviewing

    if flags.endpoint is not None:
        raise InputError("view takes a recording or --from ENDPOINT, not both")
    path, flags.source = Path(flags.source), None
    found = recorded_session(path)
    session = session_of(flags, found.session).changed(source=found.session.source)
    if flags.web:
        from zeromag.viz.page import serve_review

        with reviewing(session, found.notes) as review:
            return serve_review(review, stop=line.stop, announce=line.announce, door=_door(flags))
    from zeromag.live.league_of import league_of
    from zeromag.viz.show import show

    with reviewing(session, found.notes) as review:
        return show(review.feed, review=review, run_league=league_of, stop=line.stop, announce=line.announce)


def _step_back() -> None:
    """Let acquisition and processing go first on this machine: a picture may be late, a block should not."""
    if hasattr(os, "nice"):
        os.nice(NICE)


def _door(flags: argparse.Namespace) -> Door:
    from zeromag.viz.page import Door

    return Door(flags.host, flags.port, flags.keys, flags.certificate, flags.certificate_key)


def _scan(flags: argparse.Namespace, line: Lifeline) -> int:
    """Be the process that scans for a review."""
    from zeromag.errors import ZeromagError
    from zeromag.live.review import scan_into

    told = line.told()
    if told is None:
        return 0
    try:
        scan_into(flags.scan_to, Session().changed(**json.loads(told)), line.announce, line.stop.is_set)
    except ZeromagError as error:
        line.announce({"say": str(error)})
        return 1
    return 0
