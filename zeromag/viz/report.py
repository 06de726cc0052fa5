"""The report: pictures, a page that opens offline, and the same on A4."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.viz.figures import butterfly_figure, map_figure, quality_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T_WINDOW = (0.15, 0.5)  # s from R in which the T wave's peak is looked for


def write_report(
    directory: Path, summary: Mapping[str, Any], averages: list[Average], field_map: FieldMap | None
) -> None:
    """Write `map_R.png`, `map_T.png`, `butterfly.png`, `quality.png`, `report.html` and `report.pdf`.

    Without a map or a beat the pictures that cannot be are left out, and the report says why.
    """
    from zeromag.viz.report_html import html
    from zeromag.viz.report_pdf import write_pdf

    normal = next((average for average in averages if average.kind == "normal"), averages[0] if averages else None)
    pictures = {"quality.png": png(quality_figure(summary, normal))}
    if averages:
        pictures["butterfly.png"] = png(butterfly_figure(averages))
    if field_map is not None and len(field_map.time):
        pictures["map_R.png"] = png(map_figure(field_map, 0.0, "R peak", normal))
        t_peak = t_peak_s(field_map)
        if t_peak is not None:
            pictures["map_T.png"] = png(map_figure(field_map, t_peak, "T peak", normal))
    for name, picture in pictures.items():
        (directory / name).write_bytes(picture)
    (directory / "report.html").write_text(html(summary, pictures), encoding="utf-8")
    write_pdf(directory / "report.pdf", summary, averages, field_map)


def t_peak_s(field_map: FieldMap) -> float | None:
    """Return when the T wave is strongest: the largest rms of the map between 150 and 500 ms after R."""
    inside = np.flatnonzero((field_map.time >= T_WINDOW[0]) & (field_map.time <= T_WINDOW[1]))
    if not len(inside) or not field_map.grid.mask.any():
        return None
    power = np.nanmean(field_map.bz[inside][:, field_map.grid.mask] ** 2, axis=1)
    return float(field_map.time[inside[int(np.argmax(power))]])


def png(figure: Figure) -> bytes:
    """Return a figure as PNG; the same figure gives the same bytes."""
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
