"""What stands where in a recording (`*.zm.h5`); docs/recording.md is the contract."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zeromag.event import Event
from zeromag.sensors import UNITS, SensorArray

FORMAT: Final = 1
INDEX: Final = np.dtype(
    [
        ("sequence", "<u8"),
        ("first", "<i8"),
        ("row", "<i8"),
        ("samples", "<u4"),
        ("crc", "<u4"),
        ("t_ns", "<i8"),
        ("wall_ns", "<i8"),
    ]
)


def channel_table(sensors: SensorArray) -> NDArray[np.void]:
    """Return the array as a table of fixed-size rows."""
    columns: dict[str, NDArray[Any]] = {
        "name": _texts(sensors.names),
        "kind": _texts(sensors.kinds),
        "unit": _texts(tuple(UNITS[kind] for kind in sensors.kinds)),
        "status": _texts(sensors.status),
        "coil": np.array(sensors.coils, dtype="<i4"),
        "position": sensors.positions.astype("<f8"),
        "axis": sensors.axes.astype("<f8"),
        "quantum": sensors.quantum.astype("<f8"),
        "limit": sensors.limit.astype("<f8"),
    }
    return _table(columns, len(sensors))


def sensors_of(table: NDArray[np.void], frame: str) -> SensorArray:
    """Return the array that such a table describes."""
    return SensorArray(
        names=_words(table["name"]),
        positions=table["position"].astype(np.float64),
        axes=table["axis"].astype(np.float64),
        kinds=_words(table["kind"]),  # type: ignore[arg-type] # SensorArray refuses unknown kinds
        status=_words(table["status"]),
        quantum=table["quantum"].astype(np.float64),
        limit=table["limit"].astype(np.float64),
        coils=tuple(table["coil"].tolist()),
        frame=frame,
    )


def event_table(events: list[Event]) -> NDArray[np.void]:
    """Return events as a table of fixed-size rows."""
    columns: dict[str, NDArray[Any]] = {
        "sample": np.array([event.sample for event in events], dtype="<i8"),
        "samples": np.array([event.samples for event in events], dtype="<i8"),
        "kind": _texts(tuple(event.kind for event in events)),
        "channel": _texts(tuple(event.channel for event in events)),
        "why": _texts(tuple(event.why for event in events)),
    }
    return _table(columns, len(events))


def events_of_table(table: NDArray[np.void]) -> list[Event]:
    """Return the events that such a table holds."""
    rows = zip(*(_words(table[name]) for name in ("kind", "channel", "why")), strict=True)
    return [
        Event(int(sample), kind, int(samples), channel, why)
        for sample, samples, (kind, channel, why) in zip(table["sample"], table["samples"], rows, strict=True)
    ]


def as_text(value: object) -> np.bytes_:
    """Return JSON as one fixed-size string, which every HDF5 tool reads."""
    return np.bytes_(json.dumps(value, ensure_ascii=True).encode())


def _table(columns: dict[str, NDArray[Any]], n: int) -> NDArray[np.void]:
    kinds = np.dtype([(name, column.dtype, column.shape[1:]) for name, column in columns.items()])
    table = np.zeros(n, dtype=kinds)
    for name, column in columns.items():
        table[name] = column
    return table


def _texts(words: tuple[str, ...]) -> NDArray[np.bytes_]:
    encoded = [word.encode() for word in words]
    return np.array(encoded, dtype=f"S{max([1, *map(len, encoded)])}")


def _words(column: NDArray[np.bytes_]) -> tuple[str, ...]:
    return tuple(word.decode() for word in column.tolist())
