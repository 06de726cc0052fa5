"""`zeromag filters`: what each cleaning step does to interference, heart, noise and time."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zeromag.commands.settings import session_of
from zeromag.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from zeromag.acquire.source import Source
    from zeromag.block import Block
    from zeromag.filters.league import Standing
    from zeromag.session import Session

HEART = ("heart kept", "map correlation", "turned °", "noise gain", "delay ms")


def run(flags: argparse.Namespace) -> int:
    """Run the chain, or many of them, over some seconds of the source and print a table."""
    if flags.choose:
        return _choose(flags)
    with _stream(flags) as (session, blocks):
        if not flags.league:
            _print(_stages(session, blocks))
            return 0
        standings = _league(session, blocks)
    _print_league(standings)
    if flags.out is not None:
        _write(flags.out, standings)
    return 0


def _write(path: Path, standings: Sequence[Standing]) -> None:
    """Write a league for others to read: SI units, what is not known left out."""
    import json

    rows = [
        {
            "name": one.name, "error": one.error, "heart_kept": one.cost.heart_kept, "floor": one.floor,
            "shielding_db": next(iter(one.shielding.values()), math.nan), "noise_gain": one.cost.noise_gain,
            "delay_s": one.cost.delay_s, "load": one.load, "keeps": one.keeps, "why": one.why,
        }
        for one in standings
    ]  # fmt: skip
    known = [{k: v for k, v in row.items() if not (isinstance(v, float) and math.isnan(v))} for row in rows]
    path.write_text(json.dumps(known), encoding="utf-8")


def _choose(flags: argparse.Namespace) -> int:
    """Run the league, and write the chain that wins it into the session file."""
    from zeromag.errors import InputError
    from zeromag.filters.described import describe
    from zeromag.filters.league import winner
    from zeromag.session_file import write_stages

    path = flags.session
    if path is None:
        raise InputError("--choose writes the best chain into a session file: name it, --session FILE")
    flags.session = path if path.exists() else None
    with _stream(flags) as (session, blocks):
        standings = _league(session, blocks)
    _print_league(standings)
    try:
        best, why = winner(standings)
    except ValueError as error:
        raise InputError(f"{session.source}: {error}") from error
    write_stages(path, describe(best.chain.stages))
    print(f"{why}; over {flags.seconds:g} s of {session.source}, written to {path}")
    return 0


def _print_league(standings: Sequence[Standing]) -> None:
    """Print the league, and what its order means."""
    _print(_league_table(standings))
    print(
        "map error: what the chain bends of one beat's map at R, and the noise that it leaves; "
        "chains that keep less than 90 % of the heart stand last"
    )


def _print(table: list[list[str]]) -> None:
    """Print rows of cells as columns, the first to the left."""
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    for name, *numbers in table:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *cells]).rstrip())


@contextmanager
def _stream(flags: argparse.Namespace) -> Iterator[tuple[Session, Iterator[Block]]]:
    """Yield the session, with the calibration that the source was recorded with, and the first seconds of it."""
    from zeromag.acquire.source import open_source, scheme_of
    from zeromag.acquire.subscription import Subscription
    from zeromag.offline import BLOCK
    from zeromag.offline import session_of as calibrated

    session = session_of(flags)
    if scheme_of(session.source) in {"tcp", "ipc"}:  # a stream that runs: of now, not of what it still remembers
        source: Source = Subscription(session.source, from_start=False)
    else:
        source = open_source(session.source, block=BLOCK)
    session = calibrated(source, session)
    with Progress(f"cleaning {session.source}") as progress:
        yield session, _blocks(source, session, flags.seconds, progress)


def _blocks(source: Source, session: Session, seconds: float, progress: Progress) -> Iterator[Block]:
    from zeromag.errors import InputError

    first: int | None = None
    for block in source.blocks():
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
    beside = ("kept beside the stream", "map correlation", "turned °")
    table = [["stage", *(f"dB {band}" for band in bands), *HEART, *beside]]
    for row in rows:
        heart = tuple(row[key] for key in ("heart_kept", "map_correlation", "map_angle", "noise_gain", "delay_s"))
        left = row["injected"] or {}
        told = [
            _percent(left.get("heart_kept", float("nan"))),
            _number(left.get("map_correlation", float("nan")), ".4f"),
            _number(left.get("map_angle", float("nan")), ".1f"),
        ]
        table.append([row["stage"], *_decibels(row["shielding_db"], bands), *_cost(heart), *told])
    return table


def _league(session: Session, blocks: Iterator[Block]) -> list[Standing]:
    from zeromag.errors import InputError
    from zeromag.filters.league import league

    clean = session.clean
    try:
        return league(blocks, line=clean.line or None, low_pass=clean.low_pass, calibration=session.calibration)
    except ValueError as error:  # a setting that this rate cannot carry
        raise InputError(f"{session.source}: {error}") from error


def _league_table(standings: Sequence[Standing]) -> list[list[str]]:
    """Return one row a chain, the best first."""
    bands = list(next((one.shielding for one in standings if one.shielding), {}))
    table = [["chain", "map error", "fT/√Hz", *(f"dB {band}" for band in bands), *HEART, "% of a core", "not run"]]
    for one in standings:
        cost = one.cost
        heart = (cost.heart_kept, cost.map_correlation, cost.map_angle, cost.noise_gain, cost.delay_s)
        numbers = [_percent(one.error), _number(1e15 * one.floor, ".1f"), *_decibels(one.shielding, bands)]
        row = [*numbers, *_cost(heart), f"{100 * one.load:.1f}"]
        table.append([one.name, *(row if not one.why else [""] * len(row)), one.why])
    return table


def _decibels(shielding: dict[str, float], bands: Sequence[str]) -> list[str]:
    return [f"{shielding[band]:.1f}" if band in shielding else "" for band in bands]


def _cost(heart: tuple[float, ...]) -> list[str]:
    kept, alike, angle, noise, delay = heart
    return [
        _percent(kept),
        _number(alike, ".4f"),
        _number(angle, ".1f"),
        _number(noise, ".2f"),
        _number(1e3 * delay, ".1f"),
    ]


def _percent(value: float) -> str:
    return _number(100 * value, ".1f", " %")


def _number(value: float, form: str, unit: str = "") -> str:
    """Return a figure, or a dash where there is none."""
    return f"{value:{form}}{unit}" if math.isfinite(value) else "–"
