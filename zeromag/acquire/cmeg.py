"""A Cerca recording (`.cMEG`) as a source.

Big-endian blocks, each two uint32 (rows, columns) and rows x columns float64; row 0 is the time in seconds,
the others are volts in the order of `Sensor Names:` in the `_SessionInfo.txt` beside it. A sensor gives
2.7 V/nT at gain 1. Places come from a `positions.tsv` beside it: row (from 1), name, slot, P and O.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.places import places_beside
from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import Kind, SensorArray

VOLTS_PER_TESLA: Final = 2.7e9
_SHAPE: Final = struct.Struct(">II")
_MOST_VALUES: Final = 1 << 25  # 256 MB in one block: the size words are nonsense


def cmeg_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a Cerca recording: triggers as `stim` in volts, sensors in tesla.

    Raises
    ------
    InputError
        The file was cut off, is none, or nothing beside it says where the sensors are.
    """
    offsets = _layout(path)
    time = np.concatenate([_read(path, offset, shape)[:, 0] for offset, shape in offsets])
    if len(time) < 2 or not (np.diff(time) > 0).all():
        raise InputError(f"{path} is no Cerca recording: its first row is not a time that grows")
    rate = (len(time) - 1) / (time[-1] - time[0])
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else float(rate)  # the clock ticks in 0.5 µs
    lengths = np.array([shape[1] for _, shape in offsets])
    starts = np.cumsum(lengths) - lengths
    missing = np.round((time[starts[1:]] - time[starts[1:] - 1]) * rate).astype(np.int64) - 1
    firsts = (starts + np.concatenate([[0], np.cumsum(np.maximum(missing, 0))])).tolist()
    n = offsets[0][1][0] - 1
    names, gain = _session(path, n)
    sensors = _sensors(path, names)
    volts = np.array([kind == "stim" for kind in sensors.kinds])
    scale = np.where(volts, 1.0, 1.0 / (VOLTS_PER_TESLA * gain))

    def chunks(samples: int) -> Generator[Block, None, None]:  # noqa: ARG001 - the file's own blocks are small
        for (offset, shape), first in zip(offsets, firsts, strict=True):
            rows = _read(path, offset, shape)
            yield Block(data=np.ascontiguousarray(rows[:, 1:] * scale), first=first, rate=rate, sensors=sensors)

    return Recorded(sensors, rate, chunks, samples=firsts[-1] + int(lengths[-1]), block=block)


Place = tuple[int, tuple[int, int]]  # offset of the values in the file, (rows, columns)


def _layout(path: Path) -> list[Place]:
    """Return where each block of the file is."""
    found: list[Place] = []
    size = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(_SHAPE.size)
            rows, columns = _SHAPE.unpack(head) if len(head) == _SHAPE.size else (0, 0)
            end = at + _SHAPE.size + 8 * rows * columns
            if rows < 2 or columns < 1 or rows * columns > _MOST_VALUES or (found and rows != found[0][1][0]):
                raise InputError(f"{path} is no Cerca recording: no block of it begins at byte {at}")
            if end > size:
                raise InputError(f"{path} was cut off in the middle of its last block; get a whole copy")
            found.append((at + _SHAPE.size, (rows, columns)))
            at = end
    if not found:
        raise InputError(f"{path} is empty")
    return found


def _read(path: Path, offset: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return one block: (samples, 1 + channels)."""
    values = np.fromfile(path, dtype=">f8", count=shape[0] * shape[1], offset=offset)
    return np.ascontiguousarray(values.reshape(shape).T, dtype=np.float64)


def _session(path: Path, n: int) -> tuple[list[str], float]:
    """Return channel names and gain from the file beside the recording, defaults without it."""
    beside = path.with_name(f"{path.stem}_SessionInfo.txt")
    text = beside.read_text(encoding="utf-8", errors="replace") if beside.exists() else ""
    found = re.search(r"OPM Gain:\s*([0-9.]+)", text)
    listed = re.search(r"Sensor Names:\s*(.+)", text)
    names = [name.strip() for name in listed.group(1).split(",") if name.strip()] if listed else []
    if names and len(names) != n:
        raise InputError(f"{beside} names {len(names)} channels, but {path.name} holds {n}")
    gain = float(found.group(1)) if found else 1.0
    if not gain > 0:
        raise InputError(f"the gain in {beside} must be above 0, got {gain}")
    return names or [f"row {k + 1}" for k in range(n)], gain


def _sensors(path: Path, names: list[str]) -> SensorArray:
    positions, axes = places_beside(path, names)
    placed = np.asarray(np.isfinite(positions).all(axis=1)).tolist()
    kinds = tuple(_kind(name, there) for name, there in zip(names, placed, strict=True))
    return SensorArray(names=tuple(names), positions=positions, axes=axes, kinds=kinds, frame="device")


def _kind(name: str, placed: bool) -> Kind:
    return "mag" if placed else "stim" if name.lower().startswith("trigger") else "misc"
