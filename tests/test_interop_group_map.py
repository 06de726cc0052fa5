"""The group's map on the standard grid: arrays of other sizes and places come to lie on each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.output.maps import write_maps
from zeromag.study.group_map import group_map

TIME = np.array([-0.1, 0.0, 0.25])


def field(x: np.ndarray, y: np.ndarray, gain: float) -> np.ndarray:
    """A plane that leans, at three instants: linear, so that interpolation is exact."""
    return np.stack([k * gain * (3 * x[None, :] - 2 * y[:, None] + 0.01) for k in (0.0, 1e-10, 2e-11)])


def member(folder: Path, half: float, pixels: int, gain: float) -> tuple[Path, dict]:
    folder.mkdir()
    axis = np.linspace(-half, half, pixels)
    bz = field(axis, axis, gain)
    grid = Grid(axis, axis, np.ones((pixels, pixels), dtype=np.bool_))
    write_maps(folder / "maps.h5", {"normal": FieldMap(grid, TIME, bz, bz, bz, bz)})
    return folder, {"parameters": {"rt": {"value": 0.251}}, "usable": {"answer": "yes"}}


def test_the_mean_of_two_arrays(tmp_path: Path) -> None:
    small, large = member(tmp_path / "a", 0.08, 33, 1.0), member(tmp_path / "b", 0.15, 64, 3.0)
    refused = member(tmp_path / "c", 0.15, 64, 1000.0)
    refused[1]["usable"] = {"answer": "no"}
    group = group_map([small, large, refused])
    assert group is not None
    assert group.members == 2
    axis = group.maps.grid.x
    both = np.abs(axis) < 0.08
    inside = np.ix_([0, 1], both, both)
    assert_allclose(group.maps.bz[inside], 2.0 * field(axis, axis, 1.0)[1:][inside], atol=2e-18)
    assert_allclose(group.maps.bz_sd[inside], np.sqrt(2) * np.abs(field(axis, axis, 1.0)[1:][inside]), atol=3e-18)
    assert set(np.unique(group.seen)) == {1, 2}
    assert_allclose(group.maps.jx[0][np.ix_(both, both)][3:-3, 3:-3], 2 * 1e-10 * -2, rtol=1e-3)  # ∂Bz/∂y
    assert_allclose(group.maps.jy[0][np.ix_(both, both)][3:-3, 3:-3], -2 * 1e-10 * 3, rtol=1e-3)  # −∂Bz/∂x
    steepest = np.nanmax(np.hypot(group.maps.jx[0], group.maps.jy[0]))  # no step where the small array ends
    assert steepest == pytest.approx(3 * 1e-10 * np.hypot(3, 2), rel=1e-3)
    assert group.maps.time[1] == pytest.approx(0.251)


def test_no_map_no_group(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert group_map([(tmp_path / "a", {"parameters": {}, "usable": {"answer": "yes"}})]) is None
