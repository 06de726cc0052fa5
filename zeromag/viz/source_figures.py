"""Pictures of sources: where in the heart R and T are strongest, seen from the front, and the heart vector's loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zeromag.mapping.heart_loop import HeartLoop
from zeromag.mapping.source_image import SourceImage
from zeromag.viz.figures import INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS = ((-0.06, 0.06, "QRS", "#0b4f8a"), (0.12, 0.4, "T", "#b3261e"))  # s from R
NAMES = {"sloreta": "sLORETA", "minimum-norm": "minimum norm (A·m)", "lcmv": "LCMV"}


def source_figure(image: SourceImage) -> Figure:
    """Return the strongest activity under each point of the chest at the strongest instants of QRS and T."""
    figure = new_figure(7.2, 3.6)
    for k, (begin, end, name, _) in enumerate(PARTS):
        source_axes(figure.add_axes((0.07 + 0.48 * k, 0.2, 0.4, 0.66)), image, begin, end, name)
    figure.text(
        0.5, 0.95, f"{NAMES[image.method]}, largest along the depth, seen from the front", ha="center", color=INK
    )
    return figure


def source_axes(axes: Axes, image: SourceImage, begin: float, end: float, name: str) -> None:
    """Draw the instant of a stretch (s from R) at which some place is strongest."""
    rows = np.flatnonzero((image.time >= begin) & (image.time <= end))
    if not len(rows):
        axes.set_axis_off()
        return
    row = int(rows[np.argmax(image.strength[rows].max(axis=1))])
    _frontal(axes, image, row)
    axes.set_title(f"{name} · R{1e3 * image.time[row]:+.0f} ms".replace("-", "−"), fontsize=10, color=INK)


def _frontal(axes: Axes, image: SourceImage, row: int) -> None:
    """Draw the largest strength along z, with the strongest place and its depth."""
    x, y = np.unique(image.places[:, 0]), np.unique(image.places[:, 1])
    column = np.searchsorted(y, image.places[:, 1]) * len(x) + np.searchsorted(x, image.places[:, 0])
    high = np.zeros(len(x) * len(y))
    np.maximum.at(high, column, image.strength[row])
    half_x, half_y = (x[1] - x[0]) / 2 * 1e3, (y[1] - y[0]) / 2 * 1e3
    edges = (x[0] * 1e3 - half_x, x[-1] * 1e3 + half_x, y[0] * 1e3 - half_y, y[-1] * 1e3 + half_y)
    axes.imshow(high.reshape(len(y), len(x)), origin="lower", extent=edges, cmap="viridis", interpolation="nearest")
    peak = image.peak(row) * 1e3
    axes.plot(peak[0], peak[1], "+", color="white", ms=12, mew=2)
    axes.text(0.98, 0.02, f"{-peak[2]:.0f} mm deep", transform=axes.transAxes, ha="right", color="white", fontsize=8)
    axes.set(xlabel="mm to the patient's left", ylabel="mm to the head")


def loop_figure(loop: HeartLoop) -> Figure:
    """Return the heart vector's path in the frontal plane, seen from the front, and its components over time."""
    figure = new_figure(7.2, 3.4)
    loop_axes(figure.add_axes((0.09, 0.21, 0.38, 0.7)), loop)
    over = figure.add_axes((0.58, 0.21, 0.39, 0.7))
    for k, name in enumerate("xyz"):
        over.plot(loop.time * 1e3, loop.moment[:, k] * 1e6, lw=1.0, label=name)
    over.set(xlabel="ms from R", ylabel="µA·m")
    over.legend(fontsize=8, frameon=False)
    return figure


def loop_axes(axes: Axes, loop: HeartLoop) -> None:
    """Draw the path of the heart vector in the frontal plane: the patient's left is on the right."""
    moment = loop.moment * 1e6
    for begin, end, name, colour in PARTS:
        rows = (loop.time >= begin) & (loop.time <= end)
        axes.plot(moment[rows, 0], moment[rows, 1], color=colour, lw=1.2, label=name)
    axes.axhline(0, color=QUIET, lw=0.5)
    axes.axvline(0, color=QUIET, lw=0.5)
    axes.set(xlabel="µA·m to the patient's left", ylabel="µA·m to the head", aspect="equal", adjustable="datalim")
    axes.legend(fontsize=8, frameon=False)
