"""`zeromag filters`: what each cleaning step does to interference, heart, noise and time."""

from __future__ import annotations

import argparse

from zeromag.commands.settings import session_of
from zeromag.progress import Progress


def run(flags: argparse.Namespace) -> int:
    """Run the chain over some seconds of the source and print one row a stage."""
    from zeromag.acquire.source import open_source
    from zeromag.errors import InputError
    from zeromag.offline import BLOCK
    from zeromag.scan import Scan

    session = session_of(flags)
    source = open_source(session.source, block=BLOCK)
    scan: Scan | None = None
    with Progress(f"cleaning {session.source}") as progress:
        for block in source.blocks():
            scan = scan or Scan(block, session)
            scan(block)
            progress(min(scan.seconds, flags.seconds), flags.seconds)
            if scan.seconds >= flags.seconds:
                break
    if scan is None:
        raise InputError(f"{session.source} holds no sample")
    print(scan.reason)
    rows = scan.cleaning.report()
    bands = list(rows[0]["shielding_db"])
    head = ["stage", *(f"dB {band}" for band in bands), "heart kept", "map correlation", "noise gain", "delay ms"]
    table = [head]
    for row in rows:
        shielding = [f"{row['shielding_db'].get(band, float('nan')):.1f}" for band in bands]
        heart = [f"{100 * row['heart_kept']:.1f} %", f"{row['map_correlation']:.4f}", f"{row['noise_gain']:.2f}"]
        table.append([row["stage"], *shielding, *heart, f"{1e3 * row['delay_s']:.1f}"])
    widths = [max(len(line[k]) for line in table) for k in range(len(head))]
    for name, *numbers in table:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *cells]))
    return 0
