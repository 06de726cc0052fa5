"""`zeromag recover`: a usable recording out of a journal."""

from __future__ import annotations

import argparse
import sys

from zeromag.acquire.recording import recover


def run(flags: argparse.Namespace) -> int:
    """Write the recording beside the journal; the journal is never touched."""
    out = flags.out or flags.journal.with_suffix(".zm.h5")
    summary = recover(flags.journal, out)
    print(f"zeromag: {out}: {summary}", file=sys.stderr)
    return 0
