"""`zeromag export`: a recording, or its averaged beats, in others' formats."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zeromag.commands.settings import session_of
from zeromag.commands.trail import leave_line
from zeromag.errors import InputError, StorageError
from zeromag.session import Session


def run(flags: argparse.Namespace) -> int:
    """Write `--out` in the format `--to`."""
    if flags.to == "edf":
        from zeromag.export.edf import write_edf

        write_edf(flags.out, Path(flags.source))
        return _done(flags.to, flags.out)
    _export(flags, session_of(flags))
    return _done(flags.to, flags.out)


def _export(flags: argparse.Namespace, session: Session) -> None:
    from zeromag.acquire.source import open_source
    from zeromag.offline import BLOCK

    if Path(session.source).is_dir() and not session.source.endswith(".ds"):
        raise InputError(f"{session.source} is a folder: only --to edf takes one, of `zeromag map`; give the recording")
    source = open_source(session.source, block=BLOCK)
    if getattr(source, "seconds", 0.0) == float("inf"):
        raise InputError(f"{session.source} has no end; say how long, as in sim:adult?seconds=60")
    if flags.to == "bids":
        from zeromag.export.bids import write_bids

        write_bids(flags.out, source, subject=session.subject or "01", task=flags.task, line=session.clean.line or None)
        return
    if Path(session.source).exists() and flags.out.exists() and flags.out.samefile(session.source):
        raise InputError(f"{flags.out} is the recording itself; give another --out")
    try:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{flags.out} cannot be written: {error.strerror}; give another --out") from error
    if flags.to == "fif":
        from zeromag.acquire.fif import write_fif

        write_fif(flags.out, source)
    else:
        from zeromag.export.table import write_csv

        write_csv(flags.out, source)


def _done(to: str, out: Path) -> int:
    leave_line(to, out)
    print(f"zeromag: wrote {out}", file=sys.stderr)
    return 0
