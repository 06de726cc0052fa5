"""Where sensors are, from the `positions.tsv` that lies beside a recording whose own format cannot say.

Tab-separated: `Px Py Pz` (m), `Ox Oy Oz` (direction of a positive reading), and `name` or `row` (from 1).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zeromag.errors import InputError

_WIDEST = 3.0  # m; larger arrays are millimetres


def places_beside(recording: Path, names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions and axes of the channels, NaN for those that are not listed: (n_channels, 3) each.

    Raises
    ------
    InputError
        There is no such file, or it is damaged, lists none of the channels or is in millimetres.
    """
    stem = recording.stem.removesuffix("_meg")
    paths = [recording.with_name(f"{stem}_positions.tsv"), recording.with_name("positions.tsv")]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise InputError(f"nothing says where the sensors of {recording} are: put a positions.tsv beside it")
    positions, axes = np.full((len(names), 3), np.nan), np.full((len(names), 3), np.nan)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file, delimiter="\t"):
                row = int(line["row"]) - 1 if line.get("row") else _row(line["name"], names)
                if row >= 0:
                    positions[row] = [float(line[key]) for key in ("Px", "Py", "Pz")]
                    axes[row] = [float(line[key]) for key in ("Ox", "Oy", "Oz")]
    except (KeyError, ValueError, IndexError, TypeError, csv.Error) as error:
        raise InputError(f"{path} must hold the columns name or row, Px, Py, Pz, Ox, Oy, Oz with numbers") from error
    if not np.isfinite(positions).any():
        raise InputError(f"{path} lists none of the channels of {recording.name}, such as '{names[0]}'")
    if np.nanmax(positions, axis=0).max() - np.nanmin(positions, axis=0).min() > _WIDEST:
        raise InputError(f"the positions in {path} are in millimetres, not metres; divide them by 1000")
    return positions, axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _row(name: str, names: list[str]) -> int:
    """Return the row of a name, -1 for one that this recording does not have."""
    return names.index(name) if name in names else -1
