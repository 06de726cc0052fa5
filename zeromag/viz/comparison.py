"""Two scans side by side: both maps at R and at T on one scale, and their difference where it is more than noise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from zeromag.mapping.compare import Comparison
from zeromag.viz.figures import INK, QUIET, colour_bar, map_axes, new_figure, scale_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SURE = 1.96  # standard deviations from which a difference is drawn


def comparison_figure(comparison: Comparison) -> Figure:
    """Return a row a peak: first scan, second scan, second − first; blank where the difference is within noise."""
    rows = max(1, len(comparison.peaks))
    high = 3.6 * rows + 0.5
    figure = new_figure(12.2, high)
    unsure = np.abs(comparison.z) < SURE
    first, second = comparison.first, comparison.second
    difference = replace(
        first,
        bz=np.where(unsure, np.nan, comparison.difference),
        jx=second.jx - first.jx,
        jy=second.jy - first.jy,
    )
    for k, peak in enumerate(comparison.peaks):
        limit = max(scale_of(one, np.array([k])) for one in (first, second))
        bottom = (high - 3.6 * (k + 1)) / high
        for column, (title, field_map) in enumerate(
            (("first", first), ("second", second), ("second − first", difference))
        ):
            axes = figure.add_axes(((0.35 + 3.8 * column) / 12.2, bottom, 3.0 / 12.2, 3.0 / high))
            map_axes(axes, field_map, k, limit=limit)
            axes.set_title(f"{peak} peak: {title}", fontsize=10, color=INK)
        colour_bar(figure, (11.75 / 12.2, bottom + 0.3 / high, 0.12 / 12.2, 2.4 / high), limit)
    words = f"patient's right on the left, head up · difference drawn from {SURE:g} standard deviations"
    figure.text(0.99, 0.01, words, fontsize=7, color=QUIET, ha="right")
    return figure
