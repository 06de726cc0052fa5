"""`zeromag simulate`: a recording out of the simulated room, and its ground truth."""

from __future__ import annotations

import argparse
import sys

from zeromag.errors import InputError


def run(flags: argparse.Namespace) -> int:
    """Write the recording and FILE.truth.h5 beside it."""
    from zeromag.acquire.simulate import simulation
    from zeromag.acquire.truth import write_truth

    if not flags.source.startswith("sim:"):
        raise InputError(f"simulate takes sim:PRESET, got {flags.source}; an example: sim:adult?seconds=60")
    if not flags.out.name.endswith((".fif", ".zm.h5")):
        raise InputError(f"--out must end in .fif or .zm.h5, got {flags.out.name}")
    source = simulation(flags.source if "seconds=" in flags.source else _with_seconds(flags.source))
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    if flags.out.suffix == ".fif":
        from zeromag.acquire.fif import write_fif

        write_fif(flags.out, source)
    else:
        from zeromag.acquire.recording import write_recording

        write_recording(flags.out, source)
    truth = flags.out.with_name(flags.out.name + ".truth.h5")
    write_truth(truth, source)
    print(f"zeromag: wrote {flags.out} and {truth}", file=sys.stderr)
    return 0


def _with_seconds(source: str) -> str:
    return f"{source}{'&' if '?' in source else '?'}seconds=60"
