"""The report of an array: `array.html`, one file that opens offline, and the same on A4."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeromag.characterise.findings import Characterisation
from zeromag.viz.array_figures import allan_figure, channel_figure, crosstalk_figure, noise_figure, response_figure
from zeromag.viz.report import png
from zeromag.viz.report_html import STYLE, table_html
from zeromag.viz.report_pdf import Sheets
from zeromag.viz.report_tables import Table, figure_words
from zeromag.viz.theme import RESEARCH_USE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER_CHANNEL = (
    "white",
    "corner",
    "gain",
    "moved",
    "turned",
    "turned_by_field",
    "bandwidth",
    "delay_40_Hz",
    "relative_gain",
    "drift",
)
DRAWN = ("white", "corner", "gain", "moved", "bandwidth")  # the others stand in the table
FAILED = 40  # verdicts that are shown, failed ones first


def write_array_report(directory: Path, found: Characterisation, tree: Mapping[str, Any]) -> None:
    """Write `array.html` and `array.pdf`."""
    title = f"Array {tree['source']}"
    shown = tables(tree)
    drawn = [_drawn(figure) for figure in figures(found)]
    (directory / "array.html").write_text(_html(title, shown, drawn), encoding="utf-8")
    _write_pdf(directory / "array.pdf", title, shown, drawn)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A figure, drawn once for page and paper."""

    title: str
    picture: bytes
    width: float  # inches
    height: float


def _drawn(figure: Figure) -> _Picture:
    width, height = figure.get_size_inches().tolist()
    return _Picture(str(figure.axes[0].get_title()), png(figure), width, height)


def figures(found: Characterisation) -> list[Figure]:
    """Return every picture that can be drawn."""
    made = [
        noise_figure(found),
        *(channel_figure(found, name) for name in DRAWN),
        allan_figure(found),
        response_figure(found),
        crosstalk_figure(found),
    ]
    return [figure for figure in made if figure is not None]


def tables(tree: Mapping[str, Any]) -> list[Table]:
    """Return every table, in order."""
    identity = [
        ("source", str(tree["source"])),
        ("duration", f"{tree['duration_s']:.4g} s at {tree['rate_hz']:.6g} Hz"),
        ("channels measured", f"{tree['channels_good']} of {len(tree['channels'])}"),
        ("zeromag", str(tree["zeromag"])),
    ]
    found = [Table("Recording", ("", ""), identity)]
    if tree["cautions"]:
        found.append(Table("Caution", ("", ""), [("", caution) for caution in tree["cautions"]]))
    if "verdicts" in tree:
        found.append(_verdicts(tree["verdicts"]))
    rows = [(name.replace("_", " "), *figure_words(figure), figure["method"]) for name, figure in tree["array"].items()]
    found.append(Table("The array", ("figure", "value", "95 % interval", "interval by"), rows, "nothing was measured"))
    for what, other in tree.get("beside", {}).items():
        both = [
            (name.replace("_", " "), *figure_words(figure), *figure_words(other[name]))
            for name, figure in tree["array"].items()
            if name in other
        ]
        found.append(Table(f"Beside: {what}", ("figure", "value", "95 % interval", what, "95 % interval"), both))
    lines = [(f"{line['frequency_hz']:.3f} Hz", *figure_words(line["amplitude"])) for line in tree["lines"]]
    found.append(Table("Lines, median amplitude", ("line", "value", "95 % interval"), lines, "none stands out"))
    missing = list(tree["not_measured"].items())
    if missing:
        found.append(Table("Not measured", ("part", "why"), missing))
    found.append(_channels(tree["channels"]))
    return found


def _channels(channels: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return one row a channel: value ± half its interval, the unit in the heading."""
    names = [name for name in PER_CHANNEL if any(name in row for row in channels.values())]
    units = [next(row[name]["unit"] for row in channels.values() if name in row) for name in names]
    rows = [(name, str(row["status"]), *(_plus_minus(row.get(key)) for key in names)) for name, row in channels.items()]
    heads = [
        f"{name.replace('_', ' ')} {unit if unit != '1' else ''}".strip()
        for name, unit in zip(names, units, strict=True)
    ]
    return Table("Channels, ± half the 95 % interval", ("channel", "status", *heads), rows)


def _plus_minus(figure: Mapping[str, Any] | None) -> str:
    """Return value ± half the interval, with two digits of it."""
    if figure is None:
        return "—"
    value, low, high = figure["value"], figure["low"], figure["high"]
    if low is None or high is None or not high > low:
        return f"{value:.4g}".replace("-", "−")
    half = (high - low) / 2
    digits = min(max(0, 1 - math.floor(math.log10(half))), 6)
    return f"{value:.{digits}f} ± {half:.{digits}f}".replace("-", "−")


def _verdicts(verdicts: Sequence[Mapping[str, Any]]) -> Table:
    ordered = sorted(verdicts, key=lambda verdict: bool(verdict["passed"]))
    rows = []
    for verdict in ordered[:FAILED]:
        bounds = [f"at least {verdict['min']:g}" if verdict["min"] is not None else "",
                  f"at most {verdict['max']:g}" if verdict["max"] is not None else ""]  # fmt: skip
        value, interval = figure_words(verdict["measured"])
        answer = "pass" if verdict["passed"] else "FAIL"
        rows.append(
            (
                verdict["figure"],
                verdict["channel"] or "array",
                ", ".join(filter(None, bounds)),
                value,
                interval,
                answer if verdict["sure"] else f"{answer}, not sure",
            )
        )
    failed = sum(not verdict["passed"] for verdict in verdicts)
    title = f"Specification: {'all passed' if not failed else f'{failed} of {len(verdicts)} FAILED'}"
    return Table(title, ("figure", "of", "limit", "value", "95 % interval", ""), rows)


def _html(title: str, shown: Sequence[Table], drawn: Sequence[_Picture]) -> str:
    use = escape(RESEARCH_USE)
    first, *rest = shown
    pictures = "".join(
        f'<figure><img src="data:image/png;base64,{b64encode(each.picture).decode()}" alt="{escape(each.title)}">'
        f"<figcaption>{escape(each.title)}</figcaption></figure>"
        for each in drawn
    )
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f'<p class="use">{use}</p><h1>{escape(title)}</h1>',
        table_html(first),
        *(table_html(table) for table in rest[:-1]),
        pictures,
        table_html(rest[-1]),
        f'<footer class="use">{use}</footer></body></html>',
    ]
    return "\n".join(parts) + "\n"


def _write_pdf(path: Path, title: str, shown: Sequence[Table], drawn: Sequence[_Picture]) -> None:
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    metadata = {"Title": title, "CreationDate": None, "Producer": None, "Creator": "zeromag"}
    with rc_context({"font.family": ["DejaVu Sans"], "pdf.fonttype": 3}), PdfPages(path, metadata=metadata) as pages:
        sheet = Sheets(pages, title, str)
        for table in shown[:-1]:
            sheet.table(table)
        for each in drawn:
            sheet.picture(each.picture, each.width, each.height)
        sheet.table(shown[-1])
        sheet.finish()
