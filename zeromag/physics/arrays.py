"""Sensor arrays: the flat grid over the chest, reference sensors above it, and the table of an array in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from zeromag.errors import InputError
from zeromag.physics.table import rows_of
from zeromag.sensors import Kind, SensorArray

COLUMNS = ("name", "Px", "Py", "Pz", "Ox", "Oy", "Oz")


def grid(rows: int = 6, columns: int = 6, pitch: float = 0.04) -> SensorArray:
    """Return a flat array of Bz sensors at z = 0, named S01… row by row from the patient's upper right.

    `pitch` in metres; the grid is centred on the origin.

    Examples
    --------
    >>> array = grid(2, 3, pitch=0.04)
    >>> array.names
    ('S01', 'S02', 'S03', 'S04', 'S05', 'S06')
    >>> (1e3 * array.positions[0]).tolist()
    [-40.0, 20.0, 0.0]
    """
    if rows < 1 or columns < 1 or not pitch > 0:
        raise ValueError(f"a grid needs rows, columns and a pitch above 0, got {rows} x {columns} at {pitch} m")
    x = (np.arange(columns) - (columns - 1) / 2) * pitch
    y = ((rows - 1) / 2 - np.arange(rows)) * pitch
    across, down = np.meshgrid(x, y)
    places = np.stack([across.ravel(), down.ravel(), np.zeros(rows * columns)], axis=1)
    digits = max(2, len(str(len(places))))
    return SensorArray(
        names=tuple(f"S{c + 1:0{digits}d}" for c in range(len(places))),
        positions=places,
        axes=np.tile([0.0, 0.0, 1.0], (len(places), 1)),
    )


def with_references(
    array: SensorArray, *, height: float = 0.28, spread: float = 0.08, stagger: float = 0.03
) -> SensorArray:
    """Return the array with four triaxial references above it, named R1X … R4Z.

    They stand at the corners of a square of half-width `spread` (m), two at `height` - `stagger` and two
    at `height` + `stagger` over the middle of the array: not in one plane, so that the three uniform
    fields and the five gradients of an outside source can all be told apart.
    """
    corners = np.array([[-1.0, 1.0, -1.0], [1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
    middle = array.positions[array.located()].mean(axis=0)
    places = middle + [0.0, 0.0, height] + corners * [spread, spread, stagger]
    n = 3 * len(places)
    kind: Kind = "ref"
    return replace(
        array,
        names=array.names + tuple(f"R{k + 1}{axis}" for k in range(len(places)) for axis in "XYZ"),
        positions=np.concatenate([array.positions, np.repeat(places, 3, axis=0)]),
        axes=np.concatenate([array.axes, np.tile(np.eye(3), (len(places), 1))]),
        kinds=array.kinds + (kind,) * n,
        status=array.status + ("good",) * n,
        quantum=np.concatenate([array.quantum, np.zeros(n)]),
        limit=np.concatenate([array.limit, np.full(n, np.inf)]),
        coils=array.coils + (array.coils[0],) * n,
    )


def read_array(path: str | Path) -> SensorArray:
    """Read an array from a table: `name Px Py Pz Ox Oy Oz` (m, unit axis), tab-separated, `kind` optional.

    Raises
    ------
    InputError
        If the file cannot be read or is no such table; the message says which line.
    """
    path = Path(path)
    rows = rows_of(path, "sensor table")
    header = [] if not rows else rows[0]
    if missing := [name for name in COLUMNS if name not in header]:
        wanted = " ".join(COLUMNS)
        raise InputError(f"{path}: a sensor table needs the tab-separated columns {wanted}; no {', '.join(missing)}.")
    if len(rows) == 1:
        raise InputError(f"{path}: the sensor table names no sensor; add one line per channel.")
    at = {name: header.index(name) for name in header}
    values = np.array([[_number(path, row, at[name], name) for name in COLUMNS[1:]] for row in rows[1:]])
    length = np.linalg.norm(values[:, 3:], axis=1)
    if not np.all(np.abs(length - 1) < 1e-2):
        row = int(np.argmax(np.abs(length - 1)))
        raise InputError(f"{path}: the axis Ox Oy Oz of {rows[row + 1][at['name']]} must have length 1.")
    kinds: tuple[Kind, ...] = ()
    if "kind" in at:
        kinds = tuple(row[at["kind"]] for row in rows[1:])  # type: ignore[misc]  # SensorArray refuses others
    try:
        return SensorArray(
            names=tuple(row[at["name"]].strip() for row in rows[1:]),
            positions=values[:, :3],
            axes=values[:, 3:] / length[:, None],
            kinds=kinds,
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from error


def _number(path: Path, row: list[str], column: int, name: str) -> float:
    """Return one finite number of the table, or say where there is none."""
    text = row[column] if column < len(row) else ""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"{path}: {name} of {row[0] or 'a sensor'} must be a number, found {text!r}.")
    return value
