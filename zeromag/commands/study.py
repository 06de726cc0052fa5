"""`zeromag study`: every recording of a folder or BIDS dataset through one session, and the group's report."""

from __future__ import annotations

import argparse
import os
import sys

from zeromag.commands.settings import session_of
from zeromag.errors import InputError
from zeromag.progress import Progress


def run(flags: argparse.Namespace) -> int:
    """Map every member, say which failed, and where the report is; 1 only when all failed."""
    from zeromag.study.run import study

    if flags.jobs is not None and flags.jobs < 1:
        raise InputError(f"--jobs is the number of processes, 1 or more, got {flags.jobs}")
    if flags.jobs is not None and flags.scheduler:
        raise InputError("--jobs is for this machine; with --scheduler the cluster's own workers say how many")
    session = session_of(flags)
    with Progress(f"studying {flags.dataset}") as progress:
        studied = study(
            flags.dataset, flags.out, session, jobs=flags.jobs or _cores(), scheduler=flags.scheduler, progress=progress
        )
    for row in studied.failed:
        print(f"zeromag: {row['member']} failed: {row['error']}", file=sys.stderr)
    if not studied.parquet:
        print("zeromag: without pyarrow there is study.csv only; pip install 'zeromag[study]'", file=sys.stderr)
    print(f"zeromag: {studied.in_words()}; the report is {flags.out / 'study.html'}", file=sys.stderr)
    return 1 if len(studied.failed) == len(studied.rows) else 0


def _cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
