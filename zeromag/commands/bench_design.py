"""`zeromag bench design`: what arrays could do that are not built yet, side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from zeromag.characterise.designs import Design
    from zeromag.sensors import SensorArray
    from zeromag.stage import Stage

NOISE = 0.15e-12  # T rms of a sample: 15 fT/√Hz over 100 Hz
RATE = 1000.0  # Hz; spatial stages do not depend on it


def run(flags: argparse.Namespace) -> int:
    """Print the table of designs, and write table, numbers and picture."""
    from zeromag.characterise.designs import STANDARD, assess, design
    from zeromag.mapping.map_error import map_error

    names = flags.designs or list(STANDARD)
    rows: list[Design] = []
    arrays: list[SensorArray] = []
    more: list[dict[str, float]] = []
    with Progress("reckoning") as progress:
        for k, name in enumerate(names):
            progress(k, len(names))
            try:
                arrays.append(design(name))
                rows.append(assess(name, arrays[-1]))
                more.append({"map_error": map_error(arrays[-1], NOISE), **_kept(arrays[-1])})
            except ValueError as error:
                raise InputError(f"{name}: {error}") from error
    table = [HEAD, *(_cells(row, extra) for row, extra in zip(rows, more, strict=True))]
    if flags.out is not None:
        _write(flags.out, table, rows, more, arrays)
    widths = [max(len(line[k]) for line in table) for k in range(len(HEAD))]
    for first, *others in table:
        print("  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]))
    return 0


def _kept(sensors: SensorArray) -> dict[str, float]:
    """Return the heart's power behind each suppression; NaN where the array cannot carry it."""
    from zeromag.filters import HomogeneousField, JointFit, SignalSpaceSeparation, measure

    stages: dict[str, Stage] = {
        "hfc1": HomogeneousField(1), "hfc2": HomogeneousField(2), "hfc3": HomogeneousField(3), "joint": JointFit(),
        "sss": SignalSpaceSeparation(),
    }  # fmt: skip
    kept = {}
    for name, stage in stages.items():
        try:
            kept[name] = measure(stage, sensors, RATE).heart_kept
        except ValueError:  # more unknowns than channels
            kept[name] = float("nan")
    return kept


HEAD = (
    "design", "channels", "bit/sample", "patterns", "bit 20 mm off", "mm at 8 cm", "mm at 10 cm", "mm at 12 cm",
    "mm by 1 % gain", "mm by 1 mm", "mm by 1°", "map error", "kept hfc1", "hfc2", "hfc3", "joint", "sss",
)  # fmt: skip


def _cells(row: Design, more: dict[str, float]) -> tuple[str, ...]:
    lengths = [*row.bound, row.gain, row.shift, row.tilt]
    return (
        row.name, str(row.channels), f"{row.bits:.1f}", str(row.freedom), f"{row.bits_farther:.1f}",
        *(f"{1e3 * length:.2f}" for length in lengths), f"{more['map_error']:.2%}",
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
