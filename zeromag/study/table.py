"""The study's table: one row a recording, as CSV and, with pyarrow, as Parquet that knows where it comes from."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

Row = dict[str, Any]  # a cell is a string, a number or None
FIRST: Final = (
    "member", "status", "error", "subject", "duration_s", "rate_hz", "gaps", "channels", "channels_good",
    "beats_normal", "beats_other", "heart_rate", "usable", "usable_why",
)  # fmt: skip


def row_of(member: str, summary: Mapping[str, Any] | None, error: str = "") -> Row:
    """Return one recording's row: quality, counts, and `NAME`, `NAME_low`, `NAME_high` of each parameter (SI)."""
    if summary is None:
        return {"member": member, "status": "failed", "error": error}
    beats: Mapping[str, int] = summary["beats"]
    channels: Mapping[str, Mapping[str, str]] = summary["channels"]
    row: Row = {
        "member": member,
        "status": "done",
        "subject": summary["subject"],
        "duration_s": summary["duration_s"],
        "rate_hz": summary["rate_hz"],
        "gaps": len(summary["gaps"]),
        "channels": len(channels),
        "channels_good": sum(channel["status"] == "good" for channel in channels.values()),
        "beats_normal": beats.get("normal", 0),
        "beats_other": sum(beats.values()) - beats.get("normal", 0),
        "heart_rate": (summary["heart_rate"] or {}).get("value"),
        "usable": summary["usable"]["answer"],
        "usable_why": "; ".join(summary["usable"]["reasons"]),
    }
    for name, parameter in summary["parameters"].items():
        row |= {name: parameter["value"], f"{name}_low": parameter["low"], f"{name}_high": parameter["high"]}
    return row


def columns(rows: Sequence[Row]) -> list[str]:
    """Return every column in order: what all have, then the parameters as they first appear."""
    more = {name: None for row in rows for name in row if name not in FIRST}
    return [*FIRST, *more]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write the table; what is not known is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns(rows), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: Sequence[Row], provenance: Mapping[str, Any]) -> bool:
    """Write the table with its provenance as the schema's metadata `zeromag`; False when pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return False
    fields = [(name, _kind(name, rows, pa)) for name in columns(rows)]
    meta = {b"zeromag": json.dumps(provenance, sort_keys=True).encode()}
    arrays = [pa.array([row.get(name) for row in rows], type=kind) for name, kind in fields]
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=meta)), path)
    return True


def _kind(name: str, rows: Sequence[Row], pa: Any) -> Any:  # pyarrow's types; it ships none for mypy
    found = {type(row[name]) for row in rows if row.get(name) is not None}
    if found <= {int} and found:
        return pa.int64()
    return pa.float64() if found <= {int, float} and name not in FIRST[:4] else pa.string()
