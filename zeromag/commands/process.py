"""`zeromag process`: process B, which filters and maps."""

from __future__ import annotations

import argparse
import gc
import json
from pathlib import Path

from zeromag.commands.lifeline import lifeline
from zeromag.commands.settings import session_of
from zeromag.commands.turns import short_turns
from zeromag.errors import InputError
from zeromag.session import Session


def run(flags: argparse.Namespace) -> int:
    """Process a stream until it ends or somebody asks to stop; results are written on the way out."""
    short_turns()
    with lifeline(flags.leash) as line:
        from zeromag.live.process import process
        from zeromag.live.warm import warm
        from zeromag.output.ready import ready

        warm(lambda done, of: line.announce({"warming": [done, of]}))
        gc.collect()
        gc.freeze()  # looking through all that is loaded by now would keep a block waiting for a tenth of a second
        line.announce({"warm": True})
        session, endpoint, out = Session(), flags.endpoint, flags.out
        if flags.leash:
            told = line.told()
            if told is None:
                return 0
            orders = json.loads(told)
            session, endpoint = Session().changed(**orders["session"]), orders["endpoint"]
            out = None if orders["out"] is None else Path(orders["out"])
        else:
            session = session_of(flags)
        if out is not None:
            ready(out)
        if endpoint is None:
            raise InputError("process needs --from ENDPOINT: the address that `zeromag acquire` printed")
        drain = 20.0 if flags.leash else 0.0  # let go, the acquisition has ended too: take what it sent last
        process(
            endpoint,
            session=session,
            out=out,
            stop=line.stop,
            announce=line.announce,
            bind=session.acquire.bind,
            keys=flags.keys,
            drain=drain,
        )
    return 0
