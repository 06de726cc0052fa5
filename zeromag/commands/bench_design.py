"""`zeromag bench design`: what arrays could do that are not built yet, side by side."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from zeromag.characterise.designs import Design
    from zeromag.characterise.information import Task
    from zeromag.sensors import SensorArray
    from zeromag.stage import Stage

NOISE = 0.15e-12  # T rms of a sample: 15 fT/√Hz over 100 Hz
FAR = 0.1  # m: a place known no better is not known
RATE = 1000.0  # Hz; spatial stages do not depend on it


def run(flags: argparse.Namespace) -> int:
    """Print the table of designs, and write table, numbers and picture."""
    from zeromag.characterise.designs import STANDARD, assess, design, task_for, wraps
    from zeromag.mapping.map_error import map_error

    names = flags.designs or list(STANDARD)
    rows: list[Design] = []
    more: list[dict[str, float]] = []
    arrays = [design(name) for name in names]
    task = task_for(arrays)
    with Progress("reckoning") as progress:
        for k, (name, array) in enumerate(zip(names, arrays, strict=True)):
            progress(k, len(names))
            around = wraps(array)  # maps are of one side of the chest
            try:
                rows.append(assess(name, array, task))
                more.append({"map_error": float("nan") if around else map_error(array, NOISE), **_kept(array, task)})
            except ValueError as error:
                raise InputError(f"{name}: {error}") from error
    if any(map(wraps, arrays)):
        print(
            "zeromag: sensors lie behind the heart, so all is reckoned in a sphere of 12.5 cm radius", file=sys.stderr
        )
    table = [HEAD, *(_cells(row, extra) for row, extra in zip(rows, more, strict=True))]
    if flags.out is not None:
        _write(flags.out, table, rows, more, arrays)
    widths = [max(len(line[k]) for line in table) for k in range(len(HEAD))]
    for first, *others in table:
        print("  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]))
    return 0


def _kept(sensors: SensorArray, task: Task) -> dict[str, float]:
    """Return the heart's power behind each suppression; NaN where the array cannot carry it."""
    from zeromag.characterise.designs import wraps
    from zeromag.filters import HomogeneousField, JointFit, SignalSpaceSeparation, measure
    from zeromag.physics.conductor import lead_field

    fields = {f"hfc{order}": HomogeneousField(order) for order in (1, 2, 3)}
    kept = dict.fromkeys((*fields, "joint", "sss"), float("nan"))
    if wraps(sensors):  # what models the heart's side of the array models a flat chest
        lead = lead_field(task.conductor, task.heart.points(), sensors.positions, sensors.axes)
        heart = lead.reshape(len(sensors), -1)
        for name, field in fields.items():
            left = field.plan(sensors)(sensors.usable()).matrix(len(sensors)) @ heart
            kept[name] = float(np.sum(left**2) / np.sum(heart**2))
        return kept
    stages: dict[str, Stage] = {**fields, "joint": JointFit(), "sss": SignalSpaceSeparation()}
    for name, stage in stages.items():
        with contextlib.suppress(ValueError):  # more unknowns than channels
            kept[name] = measure(stage, sensors, RATE).heart_kept
    return kept


HEAD = (
    "design", "channels", "bit/sample", "patterns", "bit 20 mm off", "mm at 8 cm", "mm at 10 cm", "mm at 12 cm",
    "mm by 1 % gain", "mm by 1 mm", "mm by 1°", "map error", "kept hfc1", "hfc2", "hfc3", "joint", "sss",
)  # fmt: skip


def _cells(row: Design, more: dict[str, float]) -> tuple[str, ...]:
    lengths = [*row.bound, row.gain, row.shift, row.tilt]
    return (
        row.name, str(row.channels), f"{row.bits:.1f}", str(row.freedom), f"{row.bits_farther:.1f}",
        *(f"{1e3 * length:.2f}" if length < FAR else "—" for length in lengths),
        "—" if np.isnan(more["map_error"]) else f"{more['map_error']:.2%}",
        *("—" if np.isnan(more[name]) else f"{more[name]:.0%}" for name in ("hfc1", "hfc2", "hfc3", "joint", "sss")),
    )  # fmt: skip


def _write(
    out: Path,
    table: Sequence[Sequence[str]],
    rows: Sequence[Design],
    more: Sequence[dict[str, float]],
    arrays: Sequence[SensorArray],
) -> None:
    from zeromag.output.ready import ready
    from zeromag.viz.design_figures import write_design_figures

    folder = ready(out)
    tree: list[dict[str, Any]] = [
        asdict(row) | {key: None if np.isnan(value) else value for key, value in extra.items()}
        for row, extra in zip(rows, more, strict=True)
    ]
    try:
        (folder / "designs.tsv").write_text("\n".join("\t".join(line) for line in table) + "\n", encoding="utf-8")
        (folder / "designs.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the table cannot be written to {folder}: {error.strerror or error}") from error
    write_design_figures(folder / "designs.png", rows, arrays)
