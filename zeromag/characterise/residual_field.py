"""The field that stands still in the room: three uniform components and five gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.record import Record
from zeromag.physics.outside import outside_basis

NAMES = ("Bx", "By", "Bz", "(Gxx-Gyy)/2", "Gzz", "Gxy", "Gxz", "Gyz")


@dataclass(frozen=True, slots=True, eq=False)
class ResidualField:
    """Mean field at the middle of the array; NaN where the array cannot tell a component from the others."""

    strengths: NDArray[np.float64]  # (8,) T and T/m, in the order of `NAMES`
    errors: NDArray[np.float64]  # (8,)
    left_over: float  # T rms, what eight components do not explain: offsets of sensors, nearby iron


def residual_field(record: Record, offset_error: float = 0.0) -> ResidualField | None:
    """Return the static field by least squares over the located channels; None with fewer than four.

    The standard errors come from what the fit leaves over, or from `offset_error` (T) where that is larger.
    A sensor that nulls its own field reads its residual, not the room's.
    """
    rows = np.flatnonzero(record.sensors.located() & record.good())
    if len(rows) < 4:
        return None
    level = np.nanmean(record.data[:, rows], axis=0)
    basis = outside_basis(record.sensors.pick(rows))
    size = np.linalg.norm(basis, axis=0)
    scale = np.where(size > 1e-9, size, 1.0)
    _, strengths, turn = np.linalg.svd(basis / scale, full_matrices=False)
    seen = strengths > 1e-3 * strengths[0]
    known = 1 - (turn[seen] ** 2).sum(axis=0) < 1e-6  # all of the component lies in what the array sees
    known &= size > 1e-9
    inverse = np.linalg.pinv(basis / scale, rcond=1e-3) / scale[:, None]
    found = inverse @ level
    rest = level - basis @ found
    free = len(rows) - int(seen.sum())
    sigma = max(float(np.sqrt(rest @ rest / free)) if free > 0 else float("nan"), offset_error)
    errors = sigma * np.linalg.norm(inverse, axis=1)
    return ResidualField(
        np.where(known, found, np.nan), np.where(known, errors, np.nan), float(np.sqrt(np.mean(rest**2)))
    )
