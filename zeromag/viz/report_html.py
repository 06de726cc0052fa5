"""`report.html`: one file, pictures inside, nothing loaded from anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape

from zeromag.viz.report import Report
from zeromag.viz.report_tables import Table, tables
from zeromag.viz.theme import RESEARCH_USE
from zeromag.viz.words import Words

MAPS = ("map_P.png", "map_R.png", "map_T.png")
LEGEND = "Patient's right (R) is on the left; head up. Dashed: into the chest. Arrows: pseudo-current."
CAPTIONS = {
    "map_P.png": "Field out of the chest at the P peak, seen from the front",
    "st_t.png": "ST-T every 10 ms, one scale",
    "map_R.png": "Field out of the chest at the R peak, seen from the front",
    "map_T.png": "Field out of the chest at the T peak, seen from the front",
    "sources.png": "Where in the heart QRS and T are strongest, seen from the front",
    "loop.png": "The heart vector: one dipole at a fixed place",
    "butterfly.png": "Averaged beats, all usable channels",
    "quality.png": "Noise of each channel in the averaged beat",
}
STYLE = """
body{font:14px/1.45 system-ui,"DejaVu Sans","Noto Sans CJK JP","Hiragino Sans","Yu Gothic",sans-serif;
color:#15202b;background:#fff;max-width:1000px;margin:0 auto;
padding:16px} h1{font-size:22px;overflow-wrap:anywhere} h2{font-size:16px;margin:24px 0 6px}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;border-bottom:1px solid #ccd3db;padding:3px 10px 3px 0;overflow-wrap:anywhere}
th{color:#4d5a68;font-weight:600} .use{border:2px solid #15202b;padding:4px 10px;font-weight:700;display:inline-block}
figure{margin:0;display:inline-block;max-width:100%} img{max-width:100%} figcaption{color:#4d5a68}
.below{color:#4d5a68;font-size:12px;margin:4px 0}
td{min-width:4.4em} th{overflow-wrap:break-word}
.maps{display:flex;flex-wrap:wrap;gap:12px} .maps figure{flex:1 1 300px} footer{margin-top:24px}
@page{size:A4;margin:14mm} @media print{body{font-size:11px;padding:0} h2{break-after:avoid;margin-top:16px}
figure,tr{break-inside:avoid} .maps{gap:6px} .maps figure{flex:1 1 30%} img{max-height:120mm}}
"""


def html(report: Report, pictures: Mapping[str, bytes], language: str) -> str:
    """Return the report."""
    say, summary = report.say, report.summary
    subject = escape(str(summary.get("subject") or summary.get("source", "")))
    title, use = f"{say('Magnetocardiogram')} {subject}", escape(say(RESEARCH_USE))
    first, *others = tables(summary, say)
    maps = "".join(_figure(name, pictures[name], say) for name in MAPS if name in pictures)
    parts = [
        "<!doctype html>",
        f'<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style></head><body>",
        f'<p class="use">{use}</p><h1>{title}</h1>',
        table_html(first),
        f"<h2>{say('Field maps')}</h2>",
        f"<div class='maps'>{maps}</div>" if maps else f"<p>{say('No map')}: {escape(report.why_no_map(say))}.</p>",
        _figure("st_t.png", pictures["st_t.png"], say) if "st_t.png" in pictures else "",
        f"<p>{say(LEGEND)}</p>" if maps else "",
        *_sources(report, pictures, say),
        f"<h2>{say('Averaged beats')}</h2>",
        _figure("butterfly.png", pictures["butterfly.png"], say)
        if "butterfly.png" in pictures
        else f"<p>{say('No beat.')}</p>",
        table_html(others[0]),
        table_html(others[1]),
        _figure("quality.png", pictures["quality.png"], say) if "quality.png" in pictures else "",
        *(table_html(table) for table in others[2:]),
        f'<footer class="use">{use}</footer></body></html>',
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _sources(report: Report, pictures: Mapping[str, bytes], say: Words) -> list[str]:
    """Return the pictures of the sources and what is doubtful about their places; nothing without any."""
    drawn = [_figure(name, pictures[name], say) for name in ("sources.png", "loop.png") if name in pictures]
    doubt = str((report.summary.get("sources") or {}).get("doubt") or "")
    said = [f"<p><strong>{escape(say('Conductor in doubt'))}</strong>: {escape(doubt)}.</p>"] if doubt else []
    return [f"<h2>{escape(say('Sources'))}</h2>", *said, *drawn] if drawn else []


def _figure(name: str, picture: bytes, say: Words) -> str:
    caption = escape(say(CAPTIONS[name]))
    data = b64encode(picture).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
    )


def table_html(table: Table) -> str:
    """Return a table with its heading."""
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p>{escape(table.note)}</p>"
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    header = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    below = "".join(f'<p class="below">{escape(line)}</p>' for line in table.below)
    return f"<h2>{escape(table.title)}</h2><table>{header}<tbody>{body}</tbody></table>{below}"
