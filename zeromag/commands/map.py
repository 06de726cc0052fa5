"""`zeromag map`: a recording to averaged beats, maps and a report."""

from __future__ import annotations

import argparse
import sys

from zeromag.commands.settings import session_of
from zeromag.progress import Progress


def run(flags: argparse.Namespace) -> int:
    """Scan the recording and write the folder."""
    from zeromag.acquire.source import open_source
    from zeromag.offline import BLOCK, map_source
    from zeromag.offline import session_of as as_recorded
    from zeromag.output.folder import write_results
    from zeromag.output.ready import ready

    session = session_of(flags)
    out = ready(flags.out)
    with Progress(f"mapping {session.source}") as progress:
        source = open_source(session.source, block=BLOCK)
        session = as_recorded(source, session)
        outcome = map_source(source, session, progress)
    write_results(out, outcome, session)
    print(f"zeromag: {outcome.chain_reason}", file=sys.stderr)
    print(f"zeromag: {outcome.in_words()}; the results are in {out}", file=sys.stderr)
    return 0
