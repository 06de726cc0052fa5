"""`report.html`: one file, pictures inside, nothing loaded from anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any

from zeromag.viz.report_tables import Table, tables
from zeromag.viz.theme import RESEARCH_USE

CAPTIONS = {
    "map_R.png": "Field out of the chest at the R peak, seen from the front",
    "map_T.png": "Field out of the chest at the T peak, seen from the front",
    "butterfly.png": "Averaged beats, all usable channels",
    "quality.png": "Noise of each channel in the averaged beat",
}
STYLE = """
body{font:14px/1.45 system-ui,"DejaVu Sans",sans-serif;color:#15202b;background:#fff;max-width:1000px;margin:0 auto;
padding:16px} h1{font-size:22px} h2{font-size:16px;margin:24px 0 6px} table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;border-bottom:1px solid #ccd3db;padding:3px 10px 3px 0;overflow-wrap:anywhere}
th{color:#4d5a68;font-weight:600} .use{border:2px solid #15202b;padding:4px 10px;font-weight:700;display:inline-block}
figure{margin:0;display:inline-block;max-width:100%} img{max-width:100%} figcaption{color:#4d5a68}
.maps{display:flex;flex-wrap:wrap;gap:12px} .maps figure{flex:1 1 380px} footer{margin-top:24px}
"""


def html(summary: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """Return the report."""
    subject = escape(str(summary.get("subject") or summary.get("source", "")))
    first, *others = tables(summary)
    maps = "".join(_figure(name, pictures[name]) for name in ("map_R.png", "map_T.png") if name in pictures)
    why_not = escape(str(summary.get("map") or "no averaged beat"))
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>Magnetocardiogram {subject}</title>',
        f"<style>{STYLE}</style></head><body>",
        f'<p class="use">{RESEARCH_USE}</p><h1>Magnetocardiogram {subject}</h1>',
        _table(first),
        f"<h2>Field maps</h2><div class='maps'>{maps or f'<p>No map: {why_not}.</p>'}</div>",
        "<h2>Averaged beats</h2>",
        _figure("butterfly.png", pictures["butterfly.png"]) if "butterfly.png" in pictures else "<p>No beat.</p>",
        _table(others[0]),
        _table(others[1]),
        _figure("quality.png", pictures["quality.png"]) if "quality.png" in pictures else "",
        *(_table(table) for table in others[2:]),
        f'<footer class="use">{RESEARCH_USE}</footer></body></html>',
    ]
    return "\n".join(parts) + "\n"


def _figure(name: str, picture: bytes) -> str:
    caption = escape(CAPTIONS[name])
    data = b64encode(picture).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
    )


def _table(table: Table) -> str:
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p>{escape(table.note)}</p>"
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    header = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    return f"<h2>{escape(table.title)}</h2><table>{header}<tbody>{body}</tbody></table>"
