"""`zeromag filters`: what each cleaning step does to interference, heart, noise and time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zeromag.commands.settings import session_of
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.block import Block
    from zeromag.session import Session

HEART = ("heart kept", "map correlation", "noise gain", "delay ms")


def run(flags: argparse.Namespace) -> int:
    """Run the chain, or with `--league` many of them, over some seconds of the source and print a table."""
    session = session_of(flags)
    with Progress(f"cleaning {session.source}") as progress:
        blocks = _blocks(session, flags.seconds, progress)
        table = _league(session, blocks) if flags.league else _stages(session, blocks)
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    for name, *numbers in table:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *cells]).rstrip())
    return 0


def _blocks(session: Session, seconds: float, progress: Progress) -> Iterator[Block]:
    from zeromag.acquire.source import open_source
    from zeromag.errors import InputError
    from zeromag.offline import BLOCK

    first: int | None = None
    for block in open_source(session.source, block=BLOCK).blocks():
        first = block.first if first is None else first
        yield block
        done = (block.stop - first) / block.rate
        progress(min(done, seconds), seconds)
        if done >= seconds:
            return
    if first is None:
        raise InputError(f"{session.source} holds no sample")


def _stages(session: Session, blocks: Iterator[Block]) -> list[list[str]]:
    """Return one row a stage of the session's chain; the reason for the chain is printed."""
    from zeromag.scan.scan import Scan

    head = next(blocks)
    scan = Scan(head, session)
    scan(head)
    for block in blocks:
        scan(block)
    print(scan.reason)
    rows = scan.cleaning.report()
    bands = list(rows[0]["shielding_db"])
    table = [["stage", *(f"dB {band}" for band in bands), *HEART]]
    for row in rows:
        heart = (row["heart_kept"], row["map_correlation"], row["noise_gain"], row["delay_s"])
        table.append([row["stage"], *_decibels(row["shielding_db"], bands), *_cost(heart)])
    return table


def _league(session: Session, blocks: Iterator[Block]) -> list[list[str]]:
    """Return one row a chain, the best first."""
    from zeromag.filters.league import league

    clean = session.clean
    standings = league(blocks, line=clean.line or None, low_pass=clean.low_pass)
    bands = list(next((one.shielding for one in standings if one.shielding), {}))
    table = [["chain", "map error", "fT/√Hz", *(f"dB {band}" for band in bands), *HEART, "% of a core", "not run"]]
    for one in standings:
        heart = (one.cost.heart_kept, one.cost.map_correlation, one.cost.noise_gain, one.cost.delay_s)
        numbers = [f"{100 * one.error:.1f} %", f"{1e15 * one.floor:.1f}", *_decibels(one.shielding, bands)]
        row = [*numbers, *_cost(heart), f"{100 * one.load:.1f}"]
        table.append([one.name, *(row if not one.why else [""] * len(row)), one.why])
    return table


def _decibels(shielding: dict[str, float], bands: Sequence[str]) -> list[str]:
    return [f"{shielding[band]:.1f}" if band in shielding else "" for band in bands]


def _cost(heart: tuple[float, float, float, float]) -> list[str]:
    kept, alike, noise, delay = heart
    return [f"{100 * kept:.1f} %", f"{alike:.4f}", f"{noise:.2f}", f"{1e3 * delay:.1f}"]
