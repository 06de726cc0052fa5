"""The table of known coils in a file: tab-separated, one drive a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zeromag.errors import InputError
from zeromag.physics.coils import Drive
from zeromag.physics.table import rows_of

COLUMNS = ("name", "kind", "frequency", "phase", "Px", "Py", "Pz", "Mx", "My", "Mz", "radius", "sensor")


def coil_table(drives: Sequence[Drive]) -> str:
    """Return the table of these drives: Hz, rad, m, A·m² (loop) or T (uniform, onboard)."""
    rows = ["\t".join(COLUMNS)]
    for drive in drives:
        numbers = (drive.frequency, drive.phase, *drive.position, *drive.vector, drive.radius)
        rows.append("\t".join([drive.name, drive.kind, *(f"{x:.12g}" for x in numbers), drive.sensor or "-"]))
    return "\n".join(rows) + "\n"


def read_coils(path: str | Path) -> tuple[Drive, ...]:
    """Read the drives of a table.

    Raises
    ------
    InputError
        If the file cannot be read or a line is no drive; the message says which.
    """
    path = Path(path)
    rows = rows_of(path, "coil table")
    if not rows or tuple(rows[0]) != COLUMNS:
        raise InputError(f"{path}: a coil table begins with the tab-separated columns {' '.join(COLUMNS)}")
    drives = tuple(_drive(path, row) for row in rows[1:])
    if not drives:
        raise InputError(f"{path}: the coil table names no coil; add one line per drive")
    return drives


def _drive(path: Path, row: list[str]) -> Drive:
    name = row[0] or "a coil"
    if len(row) != len(COLUMNS):
        raise InputError(f"{path}: {name} needs {len(COLUMNS)} columns, found {len(row)}")
    try:
        numbers = [float(text) for text in row[2:11]]
    except ValueError as error:
        raise InputError(f"{path}: {name} holds a word where a number belongs ({error})") from error
    if not np.isfinite(numbers).all() or numbers[0] <= 0 or numbers[8] < 0 or not any(numbers[5:8]):
        raise InputError(f"{path}: {name} needs a frequency above 0 Hz, a strength and finite numbers")
    place = (numbers[2], numbers[3], numbers[4])
    vector = (numbers[5], numbers[6], numbers[7])
    sensor = "" if row[11] == "-" else row[11]
    match row[1]:
        case "loop":
            return Drive(name, "loop", numbers[0], vector, place, numbers[8], numbers[1])
        case "uniform":
            return Drive(name, "uniform", numbers[0], vector, phase=numbers[1])
        case "onboard" if sensor:
            return Drive(name, "onboard", numbers[0], vector, phase=numbers[1], sensor=sensor)
    raise InputError(f"{path}: {name} must be a loop, a uniform field or onboard (with its sensor), found {row[1]!r}")
