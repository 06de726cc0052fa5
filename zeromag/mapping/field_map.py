"""The field map and the grid it lies on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Pixels of a map in the array's plane: x to the patient's left, y to the head, both ascending."""

    x: NDArray[np.float64]  # (nx,) m
    y: NDArray[np.float64]  # (ny,) m
    mask: NDArray[np.bool_]  # (ny, nx) True where the array sees


@dataclass(frozen=True, slots=True, eq=False)
class FieldMap:
    """Field out of the chest on a grid, with its uncertainty and its pseudo-current, at one or more instants."""

    grid: Grid
    time: NDArray[np.float64]  # (n_times,) s from R, or from the stream's start when live
    bz: NDArray[np.float64]  # (n_times, ny, nx) T, positive out of the chest
    bz_sd: NDArray[np.float64]  # (n_times, ny, nx) T, one standard deviation
    jx: NDArray[np.float64]  # (n_times, ny, nx) T/m, pseudo-current ∂Bz/∂y (Hosaka and Cohen 1976)
    jy: NDArray[np.float64]  # (n_times, ny, nx) T/m, −∂Bz/∂x
