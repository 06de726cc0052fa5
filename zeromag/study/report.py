"""The group report: one page that opens offline, with table, distributions, outliers and the group's map."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from zeromag.study.group_map import GroupMap
from zeromag.study.spread import Spread
from zeromag.study.table import Row
from zeromag.viz.figures import INK, map_figure, new_figure
from zeromag.viz.report import png
from zeromag.viz.report_html import LEGEND, STYLE
from zeromag.viz.theme import RESEARCH_USE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS: Final = 4  # distributions in a line
LINE: Final = ("parameter", "recordings", "median", "25 to 75 %", "unit")
SHOWN: Final = ("member", "usable", "beats_normal", "heart_rate", "channels_good", "channels", "gaps", "duration_s")


def group_report(
    rows: Sequence[Row], spreads: Sequence[Spread], group: GroupMap | None, provenance: Mapping[str, Any]
) -> str:
    """Return the page."""
    done = [row for row in rows if row["status"] == "done"]
    failed = [row for row in rows if row["status"] != "done"]
    outliers = [(one, *outlier) for one in spreads for outlier in one.outliers]
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>Study</title><style>{STYLE}</style></head><body>',
        f'<p class="use">{RESEARCH_USE}</p><h1>Study of {len(rows)} recordings</h1>',
        f"<p>{len(done)} were mapped, {len(failed)} failed; {_usable(done)}.</p>",
        _table("Failed", ("recording", "why"), [(row["member"], row["error"]) for row in failed], "none"),
        f"<h2>Group map</h2>{_maps(group)}",
        "<h2>Distributions</h2>",
        _picture(distributions(rows, spreads), "Each dot a recording; line: median") if spreads else "<p>none</p>",
        _table("Parameters", LINE, [_line(one) for one in spreads], "none"),
        _table(
            "Outliers (modified z-score beyond 3.5)", ("parameter", "recording", "value", "z"),
            [(s.name, name, f"{value:.4g} {s.unit}", f"{z:+.1f}") for s, name, value, z in outliers], "none",
        ),
        _recordings(done),
        _table("Provenance", ("", ""), [(key, str(value)) for key, value in provenance.items()], ""),
        f'<footer class="use">{RESEARCH_USE}</footer></body></html>',
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def distributions(rows: Sequence[Row], spreads: Sequence[Spread]) -> Figure:
    """Return one strip a parameter: every recording a dot, those far off in red, the median a line."""
    lines = -(-len(spreads) // ACROSS)
    figure = new_figure(9.0, 0.4 + 1.15 * lines)
    panels = np.atleast_1d(figure.subplots(lines, ACROSS, squeeze=False)).ravel()
    for axes, one in zip(panels, spreads, strict=False):
        values = {row["member"]: row[one.name] for row in rows if row.get(one.name) is not None}
        far = {name for name, _, _ in one.outliers}
        spot = np.linspace(-0.3, 0.3, len(values)) if len(values) > 1 else np.zeros(1)
        colours = ["#b3261e" if name in far else "#0b4f8a" for name in values]
        axes.scatter(list(values.values()), spot, c=colours, s=9, linewidths=0)
        axes.axvline(one.median, color=INK, lw=0.8)
        axes.set(ylim=(-0.6, 0.6), yticks=[])
        axes.set_title(f"{one.name} ({one.unit})", fontsize=7, color=INK)
        axes.tick_params(labelsize=6)
        axes.locator_params(axis="x", nbins=3)
        axes.xaxis.get_offset_text().set_fontsize(6)
    for axes in panels[len(spreads) :]:
        axes.set_axis_off()
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def _maps(group: GroupMap | None) -> str:
    if group is None:
        return "<p>No recording had a map to average.</p>"
    pictures = [
        _picture(map_figure(group.maps, at, f"{name}, mean of {group.members}"), f"Group average at {name}")
        for at, name in enumerate(("R", "T"))
    ]
    return f"<div class='maps'>{''.join(pictures)}</div><p>{LEGEND} Shown where half of the recordings see.</p>"


def _picture(figure: Figure, caption: str) -> str:
    data = b64encode(png(figure)).decode()
    words = escape(caption)
    return f'<figure><img src="data:image/png;base64,{data}" alt="{words}"><figcaption>{words}</figcaption></figure>'


def _recordings(done: Sequence[Row]) -> str:
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in SHOWN)
    body = []
    for row in done:
        link = f'<a href="members/{escape(row["member"], quote=True)}/report.html">{escape(row["member"])}</a>'
        body.append(
            f"<tr><td>{link}</td>{''.join(f'<td>{escape(_cell(row.get(name)))}</td>' for name in SHOWN[1:])}</tr>"
        )
    return f"<h2>Recordings</h2><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2><p>{escape(nothing)}</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _line(one: Spread) -> tuple[str, ...]:
    return one.name, str(one.count), f"{one.median:.4g}", f"{one.low:.4g} to {one.high:.4g}", one.unit


def _usable(done: Sequence[Row]) -> str:
    return ", ".join(
        f"{sum(row['usable'] == answer for row in done)} usable: {answer}" for answer in ("yes", "not yet", "no")
    )


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
