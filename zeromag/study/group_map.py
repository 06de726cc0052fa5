"""The group's average map at R and T on one standard grid, out of each member's `maps.h5`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.field_map import FieldMap, Grid

HALF: Final = 0.12  # m from the middle of the array to each edge of the standard grid
PIXELS: Final = 64
SHARE: Final = 0.5  # of the members that must see a pixel


@dataclass(frozen=True, slots=True, eq=False)
class GroupMap:
    """Mean over members, its spread, and how many were seen where."""

    maps: FieldMap  # two instants: R, T; `bz_sd` is the standard deviation between members
    seen: NDArray[np.int64]  # (ny, nx) members that see the pixel at R
    members: int


def group_map(folders: Iterable[tuple[Path, Mapping[str, Any]]]) -> GroupMap | None:
    """Return the average over members with a map whose gate did not say no; None when there is none.

    Each is taken over its own R and its own T peak, in the array's frame (origin in the middle of the
    array, x to the patient's left, y to the head), linearly between its pixels.
    """
    axis = np.linspace(-HALF, HALF, PIXELS)
    times, fields = [], []
    for folder, summary in folders:
        rt = (summary["parameters"].get("rt") or {}).get("value")
        if summary["usable"]["answer"] != "no" and rt is not None and (folder / "maps.h5").exists():
            times.append(rt)
            fields.append(_resampled(folder / "maps.h5", axis, (0.0, float(rt))))
    if not fields:
        return None
    stack = np.stack(fields)  # (members, 2, ny, nx)
    mean, count = _mean(stack)
    away: NDArray[np.float64] = np.square(stack - mean)
    sd = np.sqrt(_mean(away)[0] * count / np.maximum(count - 1, 1))
    # of each member, since a mean has steps where one ends
    slope_y, slope_x = (_mean(np.asarray(np.gradient(stack, axis, axis=k), dtype=np.float64))[0] for k in (2, 3))
    mask: NDArray[np.bool_] = np.all(count >= max(1, SHARE * len(fields)), axis=0)
    maps = FieldMap(
        grid=Grid(axis, axis, mask), time=np.array([0.0, float(np.median(times))]),
        bz=mean, bz_sd=sd, jx=slope_y, jy=-slope_x,
    )  # fmt: skip
    return GroupMap(maps, count[0], len(fields))


def _mean(stack: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the mean over members that see a pixel, NaN where none does, and how many do."""
    there = np.isfinite(stack)
    count = there.sum(axis=0)
    mean = np.where(count > 0, np.where(there, stack, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return mean, count


def _resampled(path: Path, axis: NDArray[np.float64], times: tuple[float, ...]) -> NDArray[np.float64]:
    """Return a member's normal map at the rows nearest to `times`: (n_times, ny, nx) T, NaN where it does not see."""
    import h5py
    from scipy.interpolate import RegularGridInterpolator

    with h5py.File(path, "r") as file:
        x, y, mask, time = (file[name][:] for name in ("x", "y", "mask", "time"))
        rows = [int(np.argmin(np.abs(time - seconds))) for seconds in times]
        fields = [np.where(mask, file["bz"][row].astype(np.float64), np.nan) for row in rows]
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)  # (ny, nx, 2) as (y, x)
    return np.stack(
        [RegularGridInterpolator((y, x), field, bounds_error=False, fill_value=np.nan)(points) for field in fields]
    )
