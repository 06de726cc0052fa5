"""`zeromag bench array`: everything that a record of an array tells of it, as a report."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zeromag import __version__
from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.acquire.source import Source
    from zeromag.characterise.findings import Characterisation
    from zeromag.characterise.record import Record
    from zeromag.physics.coils import Drive

SECONDS = 60.0  # of a source that does not end by itself


def run(flags: argparse.Namespace) -> int:
    """Measure, write the report, print the figures; 1 when a specification was missed."""
    from zeromag.acquire.source import open_source
    from zeromag.calibration import calibration_json
    from zeromag.characterise.array_json import array_json, array_tree
    from zeromag.characterise.calibration_found import calibration_found
    from zeromag.characterise.characterisation import PARTS, characterise
    from zeromag.characterise.spec import judge, read_spec
    from zeromag.output.ready import ready
    from zeromag.viz.array_report import write_array_report

    limits = read_spec(flags.spec) if flags.spec else ()
    parts = _parts(flags.only, PARTS)
    out = ready(flags.out)
    source = open_source(flags.source, block=100)
    drives = _drives(source, flags.coils)
    record = _record(source, flags.source, flags.seconds)
    against = None
    if flags.against:
        against = _record(open_source(flags.against, block=100), flags.against, flags.seconds)
    beside: dict[str, Characterisation] = {}
    if against is not None:
        with Progress(f"measuring {flags.against}") as progress:
            beside["against"] = characterise(against, parts=parts, progress=progress)
    if flags.calibration:
        with Progress("measuring it as it is") as progress:
            beside["before calibration"] = characterise(record, drives=drives, parts=parts, progress=progress)
        record = _calibrated(record, flags.calibration)
    with Progress("measuring") as progress:
        found = characterise(record, drives=drives, against=against, parts=parts, progress=progress)
    verdicts = judge(found, limits)
    tree = array_tree(found, flags.source, __version__, verdicts, beside)
    calibration = None if flags.calibration else calibration_found(found)  # of calibrated readings it would mislead
    try:
        (out / "array.json").write_text(array_json(tree), encoding="utf-8")
        if calibration is not None:
            (out / "calibration.json").write_text(calibration_json(calibration), encoding="utf-8")
        write_array_report(out, found, tree)
    except OSError as error:
        raise StorageError(f"the report could not be written to {out}: {error.strerror or error}") from error
    for name, figure in found.array.items():
        interval = "" if figure.low != figure.low else f"  ({figure.low:.4g} to {figure.high:.4g})"
        others = "".join(
            f"  {what}: {other.array[name].value:.4g}" for what, other in beside.items() if name in other.array
        )
        unit = "" if figure.unit == "1" else f" {figure.unit}"
        print(f"{name.replace('_', ' '):24} {figure.value:.4g}{unit}{interval}{others}")
    for part, why in found.why_not.items():
        print(f"zeromag: not measured: {part.replace('_', ' ')} ({why})", file=sys.stderr)
    for caution in found.cautions:
        print(f"zeromag: {caution}", file=sys.stderr)
    print(f"zeromag: the report is {out / 'array.html'}", file=sys.stderr)
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if failed:
        first = failed[0]
        where = f" of {first.channel}" if first.channel else ""
        print(
            f"zeromag: {len(failed)} of {len(verdicts)} limits were missed, first {first.limit.figure}{where}",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _parts(only: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts that were asked for, all without a word."""
    wanted = tuple(part.strip() for part in (only or "").split(",") if part.strip())
    for part in wanted:
        if part not in known:
            raise InputError(f"--only takes {', '.join(known)}; got {part!r}")
    return wanted or known


def _drives(source: Source, table: Path | None) -> tuple[Drive, ...]:
    """Return the known coils: of the file, or those that the simulation plays."""
    from zeromag.physics.coil_table import read_coils
    from zeromag.physics.coils import Coils

    if table is not None:
        return read_coils(table)
    parts = getattr(source, "room", ())
    return next((part.drives for part in parts if isinstance(part, Coils)), ())


def _record(source: Source, name: str, seconds: float | None) -> Record:
    """Return some seconds of the source."""
    from zeromag.characterise.record import gather

    with Progress(f"reading {name}") as progress:
        blocks = source.blocks()
        try:
            return gather(blocks, seconds or _length(source), progress)
        finally:
            blocks.close()


def _calibrated(record: Record, path: Path) -> Record:
    """Return the record as its sensors' calibration makes it."""
    from zeromag.block import Block
    from zeromag.calibration import read_calibration
    from zeromag.filters.calibrate import Calibrate

    whole = Block(record.data, record.first, record.rate, record.sensors)
    try:
        right = Calibrate(read_calibration(path)).start(whole)(whole)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return replace(record, data=right.data, sensors=right.sensors)


def _length(source: Source) -> float:
    """Return how long the source is, at most ten minutes; 60 s when it does not end."""
    samples = getattr(source, "samples", None)
    return min(samples / source.rate, 600.0) if isinstance(samples, int) else SECONDS
