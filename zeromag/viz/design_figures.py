"""Designs of arrays side by side as pictures: where their sensors are, what they know, how sharply they see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag.errors import StorageError
from zeromag.sensors import SensorArray
from zeromag.viz.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zeromag.characterise.designs import Design

BEHIND = -0.13  # m: sensors farther back are drawn hollow
ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 3, "fontsize": 7, "frameon": False}
DRAWN = 8  # designs whose places are drawn; the bars show all


def write_design_figures(path: Path, rows: Sequence[Design], arrays: Sequence[SensorArray]) -> None:
    """Write the picture.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        design_figure(rows, arrays).savefig(path)
    except OSError as error:
        raise StorageError(f"the picture cannot be written to {path}: {error.strerror or error}") from error


def design_figure(rows: Sequence[Design], arrays: Sequence[SensorArray]) -> Figure:
    """Return one figure: plans above, then information, bounds over depth, errors by calibration."""
    shown = min(len(arrays), DRAWN)
    figure = new_figure(max(9.0, 2.1 * shown), 7.2)
    left = 0.03 + 0.0065 * max(len(row.name) for row in rows)  # room for the names
    parts = figure.add_gridspec(2, 1, height_ratios=(1, 1.7), left=left, right=0.98, top=0.94, bottom=0.12, hspace=0.3)
    plans = parts[0].subgridspec(1, shown, wspace=0.1)
    reach = 1.1e3 * max(float(np.nanmax(np.abs(array.positions[:, :2]))) for array in arrays[:shown])
    for k, array in enumerate(arrays[:shown]):
        axes = figure.add_subplot(plans[k])
        x, y, z = 1e3 * array.positions.T
        behind = z < 1e3 * BEHIND
        axes.plot(x[behind], y[behind], "o", ms=3, mew=0.5, mfc="none", color="#8a97a6")
        axes.plot(x[~behind], y[~behind], ".", ms=3, color="#1f5fa8")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
        axes.set_title(rows[k].name, fontsize=8 if len(rows[k].name) < 24 else 6)
    axes = figure.axes[0]
    axes.set_xticks([-100, 0, 100], ["−100", "0", "100 mm"], fontsize=7)
    below = parts[1].subgridspec(1, 3, wspace=0.3)
    names = [row.name for row in rows]
    bars = figure.add_subplot(below[0])
    bars.barh(names, [row.bits for row in rows], color="#1f5fa8", label="here")
    bars.barh(names, [row.bits_farther for row in rows], color="#9cc3ea", height=0.4, label="20 mm farther off")
    bars.invert_yaxis()
    bars.set_xlabel("information, bit/sample", fontsize=8)
    bars.legend(**ABOVE)
    bounds = figure.add_subplot(below[1])
    for row in rows:
        bounds.semilogy([80, 100, 120], [1e3 * value for value in row.bound], "o-", ms=3, lw=1.2, label=row.name)
    bounds.set_xticks([80, 100, 120])
    for axis_format in (bounds.yaxis.set_major_formatter, bounds.yaxis.set_minor_formatter):
        axis_format(lambda value, _: f"{value:g}")
    bounds.set_xlabel("depth of the dipole, mm", fontsize=8)
    bounds.set_title("its place is known to, mm (one sample)", fontsize=8)
    bounds.legend(fontsize=6, loc="lower right", frameon=False)
    errors = figure.add_subplot(below[2])
    at = np.arange(len(rows))
    for k, (what, name) in enumerate((("gain 1 %", "gain"), ("place 1 mm", "shift"), ("axis 1°", "tilt"))):
        errors.barh(at + 0.27 * (k - 1), [1e3 * getattr(row, name) for row in rows], height=0.25, label=what)
    errors.set_yticks(at, [""] * len(rows))  # the rows are those of the first panel
    errors.invert_yaxis()
    errors.set_xlabel("moves a dipole 10 cm deep by, mm", fontsize=8)
    errors.legend(**ABOVE)
    for axes in (bars, bounds, errors):
        axes.tick_params(labelsize=7, which="both")
    return figure
