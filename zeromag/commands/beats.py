"""`zeromag beats`: where the heart beats, in magnetometers or an ECG, as a table."""

from __future__ import annotations

import argparse
import math
import sys

from zeromag.commands.settings import session_of
from zeromag.errors import StorageError


def run(flags: argparse.Namespace) -> int:
    """Write `onset sample trial_type rr why`, one row a beat."""
    from zeromag import offline
    from zeromag.acquire.source import open_source
    from zeromag.scan.beats_only import find_beats

    session = session_of(flags)
    source = open_source(session.source, block=offline.BLOCK)
    rhythm = find_beats(source, offline.session_of(source, session), flags.channel or "")
    for note in rhythm.notes():
        print(f"zeromag: {note}", file=sys.stderr)
    rows = ["onset\tsample\ttrial_type\trr\twhy"]
    for beat in rhythm.beats:
        rr = "n/a" if math.isnan(beat.rr) else f"{beat.rr:.6f}"
        onset = (beat.sample - rhythm.first) / source.rate
        rows.append(f"{onset:.6f}\t{beat.sample:.3f}\tbeat/{beat.kind}\t{rr}\t{beat.why or 'n/a'}")
    table = "\n".join(rows) + "\n"
    if flags.out is None:
        sys.stdout.write(table)
        return 0
    try:
        flags.out.write_text(table, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the table cannot be written to {flags.out}: {error.strerror}") from error
    print(f"zeromag: {len(rhythm.beats)} beats in {flags.out}", file=sys.stderr)
    return 0
