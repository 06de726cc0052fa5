"""`zeromag acquire`: process A, the one that owns the device."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zeromag.commands.lifeline import lifeline
from zeromag.commands.settings import session_of
from zeromag.commands.turns import short_turns
from zeromag.session import Session


def run(flags: argparse.Namespace) -> int:
    """Acquire until the source ends, the time is over or somebody asks it to stop."""
    short_turns()
    with lifeline(flags.leash) as line:
        if flags.leash:
            told = line.told()
            if told is None:
                return 0
            orders = json.loads(told)
            session = Session().changed(**orders["session"])
            _acquire(session, orders["record"], orders["seconds"], line.stop, line.announce)
        else:
            _acquire(session_of(flags), flags.record, flags.seconds, line.stop, line.announce, flags.keys)
    return 0


def _acquire(
    session: Session,
    record: Path | str | None,
    seconds: float | None,
    stop: Any,
    announce: Callable[[dict[str, Any]], None],
    keys: Path | None = None,
) -> None:
    from zeromag.acquire.acquirer import acquire

    acquire(
        session.source,
        bind=session.acquire.bind,
        record=None if record is None else Path(record),
        block=session.acquire.block,
        seconds=seconds,
        stop=stop,
        announce=announce,
        session=session.as_dict(),
        keys=keys,
        lsl=session.lsl.raw,
    )
