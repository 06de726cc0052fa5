"""Two scans side by side: their maps at R, ST and T on one scale, and the difference where it is more than chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from zeromag.mapping.compare import Comparison
from zeromag.viz.figures import INK, QUIET, colour_bar, map_axes, new_figure, scale_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"R": "R peak", "ST": "ST segment", "T": "T peak"}
WIDE, ROW = 13.6, 3.6  # inches of the figure, and of one row


def comparison_figure(comparison: Comparison) -> Figure:
    """Return a row an instant: first scan, second scan, and second − first on a scale of its own.

    The difference is blank where it is within what chance makes.
    """
    high = ROW * max(1, len(comparison.peaks)) + 0.5
    figure = new_figure(WIDE, high)
    first, second = comparison.first, comparison.second
    unsure = np.abs(comparison.z) < comparison.sure
    bz, jx, jy = (
        np.where(unsure, np.nan, one) for one in (comparison.difference, second.jx - first.jx, second.jy - first.jy)
    )
    difference = replace(first, bz=bz, jx=jx, jy=jy)
    for k, peak in enumerate(comparison.peaks):
        row = np.array([k])
        limit = max(scale_of(one, row) for one in (first, second))
        bottom = (high - ROW * (k + 1)) / high
        for left, title, field_map, reach in (
            (0.35, "first", first, limit),
            (3.95, "second", second, limit),
            (8.85, "second − first", difference, scale_of(difference, row)),
        ):
            axes = figure.add_axes((left / WIDE, bottom, 3.0 / WIDE, 3.0 / high))
            map_axes(axes, field_map, k, limit=reach)
            axes.set_title(f"{NAMES[peak]}: {title}", fontsize=10, color=INK)
            if field_map is not first and (field_map is second or not unsure[k][first.grid.mask].all()):
                beside = (left + 3.65) / WIDE, bottom + 0.3 / high, 0.12 / WIDE, 2.4 / high
                colour_bar(figure, beside, reach)
            elif field_map is difference:
                words = "within what chance makes"
                axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=QUIET)
    words = (
        "patient's right on the left, head up · difference drawn where it is more than chance "
        f"({comparison.sure:.1f} standard deviations), on a scale of its own"
    )
    figure.text(0.99, 0.01, words, fontsize=7, color=QUIET, ha="right")
    return figure
