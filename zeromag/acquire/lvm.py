"""A QuSpin Neuro-1 recording (LabVIEW text, `.lvm`) as a source; MNE cannot read these.

Header lines of key and values, twice closed by `***End_of_Header***`; then the channel names between
`X_Value` and `Comment`; then one line a sample, the time first. Names that begin with X, Y or Z are sensor
axes, with T digital and with A analogue inputs. Places come from a `positions.tsv` beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from zeromag.acquire.places import places_beside
from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import Kind, SensorArray

_END: Final = "***End_of_Header***"
_TESLA: Final = {"t": 1.0, "tesla": 1.0, "nt": 1e-9, "pt": 1e-12, "ft": 1e-15}
_SEPARATORS: Final = {"tab": "\t", "comma": ",", "semicolon": ";"}
_MOST_HEADER: Final = 1000  # lines


@dataclass(frozen=True, slots=True)
class _Head:
    names: list[str]
    units: list[str]
    separator: str
    decimal: str
    lines: int  # before the first sample


def lvm_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a QuSpin recording, in tesla; inputs as `stim` and `misc`.

    Raises
    ------
    InputError
        It is none, a sensor's unit is unknown, or nothing beside it says where the sensors are.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = _head(file, path)
            start = [_values(line, head, path, k) for k, line in enumerate(itertools.islice(file, 2))]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(start) < 2 or not start[1][0] > start[0][0]:
        raise InputError(f"{path} holds no two samples whose time grows")
    rate = float(1.0 / (start[1][0] - start[0][0]))
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-2 * rate else rate  # the time has few digits
    sensors, scale = _sensors(path, head)

    def chunks(samples: int) -> Generator[Block, None, None]:
        with path.open(encoding="utf-8", errors="replace") as file:
            for _ in range(head.lines):
                file.readline()
            first, before = 0, None
            rows: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
            for number, line in enumerate(file):
                if not line.strip():
                    continue
                row = _values(line, head, path, number)
                missing = 0 if before is None else max(0, round((row[0] - before) * rate) - 1)
                before = float(row[0])
                if rows and (missing or len(rows) == samples):
                    yield Block(np.array(rows) * scale, first, rate, sensors)
                    first, rows = first + len(rows), []
                first += missing
                rows.append(row[1:])
            if rows:
                yield Block(np.array(rows) * scale, first, rate, sensors)

    return Recorded(sensors, rate, chunks, block=block)


def _head(file: TextIO, path: Path) -> _Head:
    """Return what stands before the samples; the file is left at the first one."""
    known: dict[str, list[str]] = {}
    separator = "\t"
    for number, line in enumerate(itertools.islice(file, _MOST_HEADER)):
        if number == 0 and not line.startswith("LabVIEW Measurement"):
            break
        fields = line.rstrip("\r\n").split(separator)
        if fields[0] == "Separator" and len(fields) > 1:
            separator = _SEPARATORS.get(fields[1].lower(), separator)
        elif fields[0] == "X_Value":
            names = [name for name in fields[1:] if name and name != "Comment"]
            units = [unit for unit in known.get("Y_Unit_Label", []) if unit]
            units = units * len(names) if len(units) == 1 else units
            if not names or (units and len(units) != len(names)):
                break
            return _Head(names, units, separator, known.get("Decimal_Separator", ["."])[0], number + 1)
        elif fields[0] != _END:
            known[fields[0]] = fields[1:]
    raise InputError(f"{path} is no LabVIEW measurement: no line of channel names was found")


def _values(line: str, head: _Head, path: Path, number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return time and channels of one line: (1 + n_channels,)."""
    text = line if head.decimal == "." else line.replace(head.decimal, ".")
    fields = text.rstrip("\r\n").split(head.separator)[: 1 + len(head.names)]
    try:
        row = np.array(fields, dtype=np.float64)
    except ValueError as error:
        raise InputError(f"sample {number} of {path} holds something that is no number") from error
    if len(row) != 1 + len(head.names):
        raise InputError(f"sample {number} of {path} has {len(row) - 1} of {len(head.names)} channels: it was cut off")
    return row


def _sensors(path: Path, head: _Head) -> tuple[SensorArray, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    positions, axes = places_beside(path, head.names)
    kinds: list[Kind] = []
    scale = np.ones(len(head.names))
    for c, name in enumerate(head.names):
        magnetic = name[0].upper() in "XYZ"
        unit = head.units[c].lower() if head.units else "t"
        if magnetic and unit not in _TESLA:
            raise InputError(f"{path} gives channel {name} in '{head.units[c]}'; T, nT, pT or fT was expected")
        scale[c] = _TESLA[unit] if magnetic else 1.0
        placed = bool(np.isfinite(positions[c]).all())
        kinds.append("mag" if magnetic and placed else "stim" if name[0].upper() == "T" else "misc")
    return SensorArray(tuple(head.names), positions, axes, tuple(kinds), frame="device"), scale
