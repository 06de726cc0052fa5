"""`zeromag anonymize`: the same recording without names, dates, comments or where it was kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zeromag.errors import InputError


def run(flags: argparse.Namespace) -> int:
    """Write `--out`, FIF or zeromag's own."""
    from zeromag.acquire.anonymous import Anonymous
    from zeromag.acquire.replay import replay
    from zeromag.offline import BLOCK

    if not flags.out.name.endswith((".fif", ".zm.h5")):
        raise InputError(f"--out must end in .fif or .zm.h5, got {flags.out.name}")
    if flags.out.exists() and Path(flags.recording).exists() and flags.out.samefile(flags.recording):
        raise InputError(f"{flags.out} is the recording itself; give another --out")
    source = Anonymous(replay(flags.recording, block=BLOCK))
    if flags.out.suffix == ".fif":
        from zeromag.acquire.fif import write_fif

        write_fif(flags.out, source)
    else:
        from zeromag.acquire.recording import write_recording

        write_recording(flags.out, source)
    names = ", ".join(source.sensors.names[:3])
    print(f"zeromag: wrote {flags.out}; its channels keep their names ({names}, …)", file=sys.stderr)
    return 0
