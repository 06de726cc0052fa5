"""`report.pdf`: the report on A4, drawn with Matplotlib."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zeromag.mapping.average import Average
from zeromag.viz.beat_figures import butterfly_axes
from zeromag.viz.figures import after_r, colour_bar, map_axes, scale_of, sequence_axes
from zeromag.viz.report import Report
from zeromag.viz.report_html import LEGEND
from zeromag.viz.report_tables import Table, tables
from zeromag.viz.scale import isoline_step
from zeromag.viz.source_figures import PARTS, loop_axes, source_axes
from zeromag.viz.theme import RESEARCH_USE
from zeromag.viz.words import Words, fonts, words

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

A4 = (8.27, 11.69)  # inches
LINE = 0.0155  # of the page's height
BELOW = 125  # letters of 7 pt in a line
LEFT, RIGHT, TOP, BOTTOM = 0.08, 0.94, 0.93, 0.06


def write_pdf(path: Path, report: Report, language: str) -> None:
    """Write the pages: quality and maps first, then tables as far as they go.

    Where no font of this machine has the language's letters the pages are in English.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    family = _family(language)
    say = report.say if family else words("en")
    title = f"{say('Magnetocardiogram')} {report.summary.get('subject') or report.summary.get('source', '')}".rstrip()
    metadata = {"Title": title, "CreationDate": None, "Producer": None, "Creator": "zeromag"}
    kind = 42 if fonts(language) else 3  # 42 takes seconds to subset, but fonts of thousands of letters need it
    with (
        rc_context({"font.family": [*family, "DejaVu Sans"], "pdf.fonttype": kind}),
        PdfPages(path, metadata=metadata) as pages,
    ):
        sheet = Sheets(pages, title, say)
        first, *others = tables(report.summary, say)
        sheet.table(first)
        sheet.maps(report)
        sheet.beats(report.averages)
        for table in others[:2]:
            sheet.table(table)
        sheet.sequence(report)
        sheet.sources(report)
        for table in others[2:]:
            sheet.table(table)
        sheet.finish()


def _family(language: str) -> list[str]:
    """Return the first installed font with this language's letters; empty when there is none."""
    from matplotlib.font_manager import fontManager

    wanted = fonts(language)
    if not wanted:
        return ["DejaVu Sans"]
    names = {entry.name for entry in fontManager.ttflist}
    return [name for name in wanted if name in names][:1]


class Sheets:
    """Fills pages from the top; a new one is begun when something does not fit."""

    def __init__(self, pages: PdfPages, title: str, say: Words) -> None:
        self._pages, self._title, self._say = pages, title, say
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
        for text in (one for line in table.below for one in textwrap.wrap(line, BELOW)):
            self._room(LINE).text(LEFT, self._at, text, fontsize=7, color="#4d5a68", parse_math=False)
            self._at -= 0.8 * LINE
        self._at -= LINE

    def maps(self, report: Report) -> None:
        """Draw the maps at the P, R and T peaks beside each other."""
        say, field_map = self._say, report.maps
        figure = self._room(0.24)
        heading = say("Field out of the chest, seen from the front")
        figure.text(LEFT, self._at, heading, weight="bold", fontsize=10.5)
        if field_map is None or report.moments is None:
            self._at -= 1.3 * LINE
            figure.text(LEFT, self._at, f"{say('No map')}: {report.why_no_map(say)}.", fontsize=8.5, parse_math=False)
            self._at -= 2 * LINE
            return
        for k, (name, at) in enumerate(report.moments.peaks.items()):
            limit = scale_of(field_map, np.array([at]))
            left, wide = LEFT + 0.018 + 0.287 * k, 0.185
            tall = wide * A4[0] / A4[1]
            axes = figure.add_axes((left, self._at - 0.168, wide, tall))
            map_axes(axes, field_map, at, limit=limit, average=report.normal)
            step = isoline_step(limit) * 1e12
            axes.set_title(f"{name}, R{after_r(field_map, at)} · {step:g} pT", fontsize=8)
            colour_bar(figure, (left + 0.221, self._at - 0.168, 0.009, tall), limit)
        self._at -= 0.19
        figure.text(LEFT, self._at, say(LEGEND), fontsize=7.5, color="#4d5a68")
        self._at -= 2 * LINE

    def sources(self, report: Report) -> None:
        """Draw where QRS and T are strongest, and the heart vector's loop."""
        if report.image is None or report.loop is None:
            return
        figure = self._room(0.3)
        figure.text(LEFT, self._at, self._say("Sources"), weight="bold", fontsize=10.5)
        for k in range(len(PARTS) + 1):
            axes = figure.add_axes((LEFT + 0.05 + 0.295 * k, self._at - 0.2, 0.21, 0.16))
            if k < len(PARTS):
                source_axes(axes, report.image, *PARTS[k][:3])
            else:
                loop_axes(axes, report.loop)
            axes.tick_params(labelsize=6)
            axes.xaxis.label.set_fontsize(7)
            axes.yaxis.label.set_fontsize(7)
        self._at -= 0.24
        if doubt := str((report.summary.get("sources") or {}).get("doubt") or ""):
            for text in textwrap.wrap(f"{self._say('Conductor in doubt')}: {doubt}.", BELOW):
                self._room(LINE).text(LEFT, self._at, text, fontsize=7, parse_math=False)
                self._at -= 0.8 * LINE
        self._at -= LINE

    def sequence(self, report: Report) -> None:
        """Draw the maps of ST-T on one scale."""
        if report.maps is None or report.moments is None or not len(report.moments.st_t):
            return
        rows = report.moments.st_t
        across, limit = 8, scale_of(report.maps, rows)
        tall = -(-len(rows) // across) * (RIGHT - LEFT - 0.09) / across * 1.14 * A4[0] / A4[1]
        figure = self._room(tall + 3 * LINE)
        figure.text(LEFT, self._at, self._say("ST-T every 10 ms, one scale"), weight="bold", fontsize=10.5)
        self._at -= 0.8 * LINE
        axes = figure.add_axes((LEFT, self._at - tall, RIGHT - LEFT - 0.09, tall), anchor="NW")
        sequence_axes(axes, report.maps, rows, limit=limit, across=across)
        high = min(tall - 0.02, 0.15)
        colour_bar(figure, (RIGHT - 0.045, self._at - (tall + high) / 2, 0.01, high), limit)
        self._at -= tall + 2 * LINE

    def beats(self, averages: list[Average]) -> None:
        """Draw the averaged beats under each other."""
        for average in averages:
            if average.good.any():
                figure = self._room(0.17)
                axes = figure.add_axes((LEFT + 0.05, self._at - 0.125, RIGHT - LEFT - 0.05, 0.11))
                butterfly_axes(axes, average)
                self._at -= 0.18

    def picture(self, picture: bytes, width: float, height: float) -> None:
        """Put a PNG of this size (inches) in, as wide as the page at most."""
        from io import BytesIO

        from matplotlib.image import imread

        across = min(RIGHT - LEFT, width / A4[0])
        tall = across * A4[0] * height / width / A4[1]
        figure = self._room(tall + LINE)
        axes = figure.add_axes((LEFT, self._at - tall, across, tall))
        axes.imshow(imread(BytesIO(picture)), aspect="auto", interpolation="none")
        axes.axis("off")
        self._at -= tall + LINE

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
        figure.text(RIGHT, 0.97, self._say(RESEARCH_USE), fontsize=9, weight="bold", ha="right")
        _title(figure, self._title)
        figure.text(LEFT, 0.025, self._say(RESEARCH_USE), fontsize=8)
        figure.text(RIGHT, 0.025, f"{self._say('page')} {self._number}", fontsize=8, ha="right")
        self._figure, self._at = figure, TOP - 0.01
        return figure


def _title(figure: Figure, title: str) -> None:
    """Write the title over the page's width; of one that is longer the middle is left out.

    A source's name has no length it must keep to, and its end (`&seed=2`) tells as much as its beginning.
    """
    line = figure.text(LEFT, 0.947, title, fontsize=13, weight="bold", parse_math=False)
    width = (RIGHT - LEFT) * figure.bbox.width
    kept = len(title)
    while kept and line.get_window_extent().width > width:
        kept -= 1
        line.set_text(f"{title[: kept - kept // 2]}…{title[len(title) - kept // 2 :]}")


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
