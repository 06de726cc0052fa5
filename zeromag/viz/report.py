"""The report: pictures, a page that opens offline, and the same on A4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.heart_loop import HeartLoop
from zeromag.mapping.source_image import SourceImage
from zeromag.viz.beat_figures import butterfly_figure, quality_figure
from zeromag.viz.beside import beside
from zeromag.viz.figures import map_figure, sequence_figure
from zeromag.viz.moments import Moments, moments
from zeromag.viz.source_figures import loop_figure, source_figure
from zeromag.viz.words import Words, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a report is made of."""

    summary: Mapping[str, Any]
    averages: list[Average]
    maps: FieldMap | None
    moments: Moments | None
    say: Words
    image: SourceImage | None = None
    loop: HeartLoop | None = None

    @property
    def normal(self) -> Average | None:
        """The class the maps belong to: the normal beats, else the first."""
        first = self.averages[0] if self.averages else None
        return next((average for average in self.averages if average.main), first)

    def why_no_map(self, say: Words) -> str:
        """Return the reason in words."""
        return str(self.summary.get("map") or say("no averaged beat"))


def write_report(
    directory: Path,
    summary: Mapping[str, Any],
    averages: list[Average],
    field_map: FieldMap | None,
    *,
    language: str = "en",
    image: SourceImage | None = None,
    loop: HeartLoop | None = None,
) -> None:
    """Write `map_R.png`, `map_T.png`, `butterfly.png`, `quality.png`, `report.html` and `report.pdf`.

    Without a map or a beat the pictures that cannot be are left out, and the report says why.

    Raises
    ------
    ValueError
        If there are no words for the language.
    """
    from zeromag.viz.report_html import html
    from zeromag.viz.report_pdf import write_pdf

    if field_map is not None and not len(field_map.time):
        field_map = None
    report = Report(summary, averages, field_map, None, words(language), image, loop)
    if field_map is not None:
        report = replace(report, moments=moments(report.normal, field_map))
    _load()
    pages = beside(lambda: write_pdf(directory / "report.pdf", report, language))
    pictures = _pictures(report)
    for name, picture in pictures.items():
        if name in ("map_R.png", "map_T.png", "butterfly.png", "quality.png"):
            (directory / name).write_bytes(picture)
    (directory / "report.html").write_text(html(report, pictures, language), encoding="utf-8")
    pages()


def _load() -> None:
    """Load Matplotlib once, before there are two processes that need it."""
    for name in ("figure", "backends.backend_agg", "backends.backend_pdf"):
        import_module(f"matplotlib.{name}")


def _pictures(report: Report) -> dict[str, bytes]:
    """Return every picture that can be drawn."""
    found = {"quality.png": png(quality_figure(report.summary, report.normal))}
    if report.image is not None:
        found["sources.png"] = png(source_figure(report.image))
    if report.loop is not None:
        found["loop.png"] = png(loop_figure(report.loop))
    if report.averages:
        found["butterfly.png"] = png(butterfly_figure(report.averages))
    if report.maps is not None and report.moments is not None:
        for name, at in report.moments.peaks.items():
            found[f"map_{name}.png"] = png(map_figure(report.maps, at, f"{name} peak", report.normal))
        if len(report.moments.st_t):
            found["st_t.png"] = png(sequence_figure(report.maps, report.moments.st_t))
    return found


def png(figure: Figure) -> bytes:
    """Return a figure as PNG; the same figure gives the same bytes."""
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
