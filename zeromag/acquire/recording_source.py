"""A recording (`*.zm.h5`) as a source, read lazily."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.layout import FORMAT, events_of_table, sensors_of
from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.event import Event
from zeromag.sensors import SensorArray

HDF5_FAILS: Final = (OSError, KeyError, ValueError, RuntimeError, TypeError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything of a recording but its samples."""

    sensors: SensorArray
    rate: float  # Hz
    index: NDArray[np.void]
    scale: NDArray[np.float64]
    events: list[Event]
    status: str
    stop: int
    session: dict[str, Any]

    def runs(self) -> list[tuple[int, int, int]]:
        """Return the stretches without a gap: first row, row after the last, first sample."""
        row, first, samples = (self.index[name].astype(np.int64) for name in ("row", "first", "samples"))
        breaks = np.flatnonzero(first[1:] != first[:-1] + samples[:-1]) + 1
        starts = [0, *breaks.tolist()]
        stops = [*breaks.tolist(), len(first)]
        return [
            (int(row[a]), int(row[b - 1] + samples[b - 1]), int(first[a])) for a, b in zip(starts, stops, strict=True)
        ]


def contents(path: Path) -> Contents:
    """Return what a recording says of itself; raises InputError when it is none or damaged."""
    try:
        with h5py.File(path, "r") as file:
            if int(file.attrs["format"]) != FORMAT:
                raise InputError(f"{path} is a recording of format {file.attrs['format']}; this zeromag reads {FORMAT}")
            return Contents(
                sensors=sensors_of(file["channels"][:], bytes(file.attrs["frame"]).decode()),
                rate=float(file.attrs["rate_hz"]),
                index=file["raw/block_index"][:],
                scale=file["raw/scale"][:],
                events=events_of_table(file["events"][:]),
                status=bytes(file.attrs["status"]).decode(),
                stop=int(file.attrs["stop"]),
                session=json.loads(bytes(file["session"][()])),
            )
    except HDF5_FAILS as error:
        raise InputError(f"{path} is no whole recording of zeromag: recover it from its journal") from error


def read_recording(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording."""
    about = contents(path)

    def chunks(samples: int) -> Generator[Block, None, None]:
        try:
            with h5py.File(path, "r") as file:
                for begin, end, first in about.runs():
                    for row in range(begin, end, samples):
                        yield _chunk(file, about, (row, min(row + samples, end)), first + row - begin)
        except HDF5_FAILS as error:
            raise InputError(f"{path} is damaged: `zeromag verify` names the first bad block") from error

    return Recorded(about.sensors, about.rate, chunks, samples=about.stop, block=block, session=about.session)


def _chunk(file: Any, about: Contents, rows: tuple[int, int], first: int) -> Block:
    begin, end = rows
    data = file["raw/data"][begin:end]
    if data.dtype == np.int32:
        data = data * about.scale
    mask = None
    if "raw/mask" in file:
        bad = file["raw/mask"][begin:end].astype(np.bool_)
        mask = bad if bad.any() else None
    stop = first + end - begin
    return Block(
        data=np.ascontiguousarray(data, dtype=np.float64),
        first=first,
        rate=about.rate,
        sensors=about.sensors,
        mask=mask,
        events=tuple(event for event in about.events if first <= event.sample < stop and event.kind != "gap"),
    )
