"""`report.pdf`: the report on A4, drawn with Matplotlib."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.viz.figures import butterfly_axes, colour_bar, map_axes, nearest, scale_of
from zeromag.viz.report_tables import Table, tables
from zeromag.viz.scale import isoline_step
from zeromag.viz.theme import RESEARCH_USE

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

A4 = (8.27, 11.69)  # inches
LINE = 0.0155  # of the page's height
LEFT, RIGHT, TOP, BOTTOM = 0.08, 0.94, 0.93, 0.06


def write_pdf(path: Path, summary: Mapping[str, Any], averages: list[Average], field_map: FieldMap | None) -> None:
    """Write the pages: quality and maps first, then tables as far as they go."""
    from matplotlib.backends.backend_pdf import PdfPages

    title = f"Magnetocardiogram {summary.get('subject') or ''}".rstrip()
    with PdfPages(
        path, metadata={"Title": title, "CreationDate": None, "Producer": None, "Creator": "zeromag"}
    ) as pages:
        sheet = _Sheets(pages, title)
        first, *others = tables(summary)
        sheet.table(first)
        sheet.maps(field_map, averages, str(summary.get("map") or "no averaged beat"))
        sheet.beats(averages)
        for table in others:
            sheet.table(table)
        sheet.finish()


class _Sheets:
    """Fills pages from the top; a new one is begun when something does not fit."""

    def __init__(self, pages: PdfPages, title: str) -> None:
        self._pages, self._title = pages, title
        self._number = 0
        self._figure: Figure | None = None
        self._at = 0.0
        self._begin()

    def finish(self) -> None:
        """Hand the page in."""
        if self._figure is not None:
            self._pages.savefig(self._figure)  # type: ignore[no-untyped-call]
            self._figure = None

    def table(self, table: Table) -> None:
        """Write a table, over as many pages as it takes."""
        figure = self._room(4 * LINE)
        figure.text(LEFT, self._at, table.title, weight="bold", fontsize=10.5)
        self._at -= 1.3 * LINE
        if not table.rows:
            figure.text(LEFT, self._at, table.note, fontsize=8.5)
            self._at -= 2 * LINE
            return
        starts = _starts(table)
        heads = [table.columns] if any(table.columns) else []
        for k, row in enumerate([*heads, *table.rows]):
            cells = [
                textwrap.wrap(cell, _letters(starts, c), break_long_words=True) or [""] for c, cell in enumerate(row)
            ]
            figure = self._room(LINE * max(len(cell) for cell in cells))
            for start, cell in zip(starts, cells, strict=True):
                for n, text in enumerate(cell):
                    colour = "#4d5a68" if k < len(heads) else "#15202b"
                    figure.text(start, self._at - n * LINE, text, fontsize=8, color=colour, parse_math=False)
            self._at -= LINE * max(len(cell) for cell in cells)
        self._at -= LINE

    def maps(self, field_map: FieldMap | None, averages: list[Average], why_not: str) -> None:
        """Draw the maps at the R and T peaks beside each other."""
        from zeromag.viz.report import t_peak_s

        figure = self._room(0.36)
        figure.text(LEFT, self._at, "Field out of the chest, seen from the front", weight="bold", fontsize=10.5)
        if field_map is None or not len(field_map.time):
            self._at -= 1.3 * LINE
            figure.text(LEFT, self._at, f"No map: {why_not}.", fontsize=8.5)
            self._at -= 2 * LINE
            return
        normal = next((average for average in averages if average.kind == "normal"), None)
        t_peak = t_peak_s(field_map)
        shown = [("R peak", 0.0)] + ([("T peak", t_peak)] if t_peak is not None else [])
        for k, (name, time) in enumerate(shown):
            at = nearest(field_map, time)
            limit = scale_of(field_map, at, at + 1)
            left = LEFT + 0.02 + 0.44 * k
            axes = figure.add_axes((left, self._at - 0.275, 0.33, 0.25))
            map_axes(axes, field_map, at, limit=limit, average=normal)
            step = isoline_step(limit) * 1e12
            moment = f"{name}, R{field_map.time[at] * 1e3:+.0f} ms".replace("-", "−")
            axes.set_title(f"{moment} · isolines every {step:g} pT", fontsize=8.5)
            colour_bar(figure, (left + 0.375, self._at - 0.255, 0.012, 0.21), limit)
        self._at -= 0.295
        words = "Patient's right (R) is on the left; head up. Dashed: into the chest. Arrows: pseudo-current."
        figure.text(LEFT, self._at, words, fontsize=7.5, color="#4d5a68")
        self._at -= 2 * LINE

    def beats(self, averages: list[Average]) -> None:
        """Draw the averaged beats under each other."""
        for average in averages:
            if average.good.any():
                figure = self._room(0.17)
                axes = figure.add_axes((LEFT + 0.05, self._at - 0.125, RIGHT - LEFT - 0.05, 0.11))
                butterfly_axes(axes, average)
                self._at -= 0.18

    def _room(self, height: float) -> Figure:
        """Return the page to write on, a new one when less than this is left."""
        if self._figure is None or self._at - height < BOTTOM:
            self.finish()
            return self._begin()
        return self._figure

    def _begin(self) -> Figure:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=A4)
        FigureCanvasAgg(figure)
        self._number += 1
        figure.text(LEFT, 0.955, self._title, fontsize=13, weight="bold", parse_math=False)
        figure.text(RIGHT, 0.958, RESEARCH_USE, fontsize=9, weight="bold", ha="right")
        figure.text(LEFT, 0.025, RESEARCH_USE, fontsize=8)
        figure.text(RIGHT, 0.025, f"page {self._number}", fontsize=8, ha="right")
        self._figure, self._at = figure, TOP - 0.01
        return figure


def _starts(table: Table) -> list[float]:
    """Return where the columns begin, by how long their texts are."""
    count = len(table.columns)
    longest = [min(max(len(row[c]) for row in [table.columns, *table.rows]), 60) + 2 for c in range(count)]
    total = sum(longest)
    return [LEFT + (RIGHT - LEFT) * sum(longest[:c]) / total for c in range(count)]


def _letters(starts: list[float], column: int) -> int:
    """Return how many letters of 8 pt fit into a column."""
    end = starts[column + 1] if column + 1 < len(starts) else RIGHT
    return max(8, int((end - starts[column]) * A4[0] * 72 / 4.6))
