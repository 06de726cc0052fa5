"""One picture of a whole result: the maps at the peaks of the beat, and the averaged beat below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.viz.beat_figures import butterfly_axes, butterfly_figure
from zeromag.viz.figures import INK, QUIET, after_r, colour_bar, map_axes, new_figure, scale_of
from zeromag.viz.moments import moments

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def overview_figure(averages: Sequence[Average], maps: Mapping[str, FieldMap]) -> Figure:
    """Return maps at the peaks, each on its own scale, over the butterfly of the same class; what there is of it."""
    average = next((one for one in averages if one.main), averages[0] if averages else None)
    field_map = None if average is None else maps.get(average.kind)
    if average is None or field_map is None:
        return butterfly_figure(averages)
    peaks = moments(average, field_map).peaks
    width, high = 4.0 * len(peaks), 6.4
    figure = new_figure(width, high)
    for k, (name, at) in enumerate(peaks.items()):
        limit = scale_of(field_map, np.array([at]))
        left = 4.0 * k / width
        axes = figure.add_axes((left + 0.25 / width, 0.47, 3.0 / width, 0.45))
        map_axes(axes, field_map, at, limit=limit, average=average)
        figure.text(left + 1.75 / width, 0.95, f"{name} peak · R{after_r(field_map, at)}", color=INK, ha="center")
        colour_bar(figure, (left + 3.6 / width, 0.49, 0.12 / width, 0.38), limit)
    butterfly_axes(figure.add_axes((0.7 / width, 0.12, 1 - 0.9 / width, 0.25)), average)
    words = "patient's right on the left, head up · arrows: pseudo-current"
    figure.text(0.99, 0.01, words, fontsize=7, color=QUIET, ha="right")
    return figure
