"""The file that carries a calibration to where it is used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.findings import Characterisation
from zeromag.errors import InputError

FORMAT = "zeromag calibration 1"


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationFile:
    """Sensors as they are, by name: readings are K (g · n·B(r)), late by a time constant."""

    names: tuple[str, ...]
    gain: NDArray[np.float64]  # (n,)
    axes: NDArray[np.float64]  # (n, 3)
    positions: NDArray[np.float64]  # (n, 3) m
    slowness: NDArray[np.float64]  # (n,) s
    mixing: NDArray[np.float64]  # (n, n) K, 1 on the diagonal

    def correction(self) -> NDArray[np.float64]:
        """Return what makes field out of readings, G⁻¹ K⁻¹: (n, n)."""
        return np.linalg.inv(self.mixing) / self.gain[:, None]


def calibration_of(found: Characterisation) -> CalibrationFile | None:
    """Return what coils told of the channels they calibrated; None when they told nothing."""
    fit = found.calibration
    if fit is None or not fit.known().any():
        return None
    rows = np.flatnonzero(fit.known())
    mixing = np.eye(len(rows)) if found.crosstalk is None else found.crosstalk.mixing[np.ix_(rows, rows)]
    return CalibrationFile(
        names=tuple(found.record.sensors.names[c] for c in rows.tolist()),
        gain=fit.gain[rows],
        axes=fit.axes[rows],
        positions=fit.positions[rows],
        slowness=fit.slowness[rows],
        mixing=mixing,
    )


def calibration_json(calibration: CalibrationFile) -> str:
    """Return the file's text: SI units, every number in full."""
    sensors = {
        name: {
            "gain": float(calibration.gain[c]),
            "axis": calibration.axes[c].tolist(),
            "position_m": calibration.positions[c].tolist(),
            "time_constant_s": float(calibration.slowness[c]),
            "reads_of": {
                other: float(calibration.mixing[c, k])
                for k, other in enumerate(calibration.names)
                if k != c and calibration.mixing[c, k]
            },
        }
        for c, name in enumerate(calibration.names)
    }
    tree = {"format": FORMAT, "sensors": sensors}
    return json.dumps(tree, indent=1) + "\n"


def read_calibration(path: Path) -> CalibrationFile:
    """Read a calibration.

    Raises
    ------
    InputError
        If the file cannot be read or is none.
    """
    try:
        tree: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a calibration ({error})") from error
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise InputError(f'{path} is no calibration of `zeromag bench array`: it needs "format": "{FORMAT}"')
    try:
        sensors = tree["sensors"]
        names = tuple(str(name) for name in sensors)
        rows = [sensors[name] for name in names]
        mixing = np.eye(len(names))
        for c, row in enumerate(rows):
            for other, part in row["reads_of"].items():
                mixing[c, names.index(other)] = float(part)
        found = CalibrationFile(
            names=names,
            gain=np.array([float(row["gain"]) for row in rows]),
            axes=np.array([row["axis"] for row in rows], dtype=np.float64).reshape(-1, 3),
            positions=np.array([row["position_m"] for row in rows], dtype=np.float64).reshape(-1, 3),
            slowness=np.array([float(row["time_constant_s"]) for row in rows]),
            mixing=mixing,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: the calibration of a sensor is not whole ({error})") from error
    numbers = np.concatenate([found.gain, found.axes.ravel(), found.positions.ravel(), found.mixing.ravel()])
    if not names or not np.isfinite(numbers).all() or not found.gain.all():
        raise InputError(f"{path}: a calibration needs sensors with finite numbers and gains that are not 0")
    return found
