"""The report's tables as rows of words: parameters, channels, cleaning, session, versions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zeromag.viz.literature import published, sources
from zeromag.viz.words import Words

UNITS = {  # how a unit of `summary.json` is said to people: factor and name
    "s": (1e3, "ms"),
    "m": (1e3, "mm"),
    "T": (1e12, "pT"),
    "T/m": (1e9, "pT/mm"),
    "T·m": (1e12, "pT·m"),
    "deg": (1.0, "°"),
    "1": (1.0, ""),
}
NAMES = {
    "p": "P duration",
    "pr": "PR interval",
    "qrs": "QRS duration",
    "qt": "QT interval",
    "qtc_bazett": "QTc (Bazett)",
    "qtc_fridericia": "QTc (Fridericia)",
    "rt": "R to T peak",
    "tpeak_tend": "T peak to T end",
    "r_t_angle": "current angle, R to T",
    "angle_change_T": "angle change in T",
    "distance_change_T": "distance change in T",
    "ratio_change_T": "ratio change in T",
    "non_dipolarity_R": "non-dipolarity at R",
    "non_dipolarity_T": "non-dipolarity at T",
    "tbeg_tmax_vector": "Tbeg–Tmax vector",
    "tbeg_tmax_angle": "Tbeg–Tmax angle",
    "cdv_class": "CDV class, 0 to 4",
}
WAVES = {"p", "pr", "qrs", "qt", "st", "t", "r"}  # said in capitals


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, the columns' names, the rows; `note` is said where there are none, `below` under those there are."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    below: tuple[str, ...] = ()


def tables(summary: Mapping[str, Any], say: Words = str) -> list[Table]:
    """Return every table of the report, in order, in the words of a language."""
    versions = {"zeromag": str(summary.get("zeromag", "—")), **(summary.get("provenance") or {})}
    found = [
        _identity(summary, say),
        _parameters(summary, say),
        _cleaning(summary),
        _channels(summary, say),
        Table("Session", ("setting", "value"), _flat(summary.get("session") or {}), "no session was stored"),
        Table("Versions", ("", ""), _flat(versions), "not stored"),
        Table("Checksums (SHA-256)", ("", ""), _flat(summary.get("checksums") or {}), "not stored"),
    ]
    return [
        Table(
            say(table.title),
            tuple(say(column) for column in table.columns),
            table.rows,
            say(table.note),
            tuple(say(line) for line in table.below),
        )
        for table in found
    ]


def parameter_name(name: str) -> str:
    """Return a parameter's name for people."""
    words, peak = (name[:-2], f" at {name[-1]}") if name.endswith(("_R", "_T")) else (name, "")
    said = " ".join(word.upper() if word in WAVES else word for word in words.split("_"))
    return NAMES.get(name) or said + peak


def figure_words(figure: object) -> tuple[str, str]:
    """Return value with unit, and its 95 % interval, of a `{value, low, high, unit}`; dashes where unknown.

    Units are those of the field (ms, mm, pT), and as many digits are said as the interval bears.
    """
    if not isinstance(figure, Mapping) or not isinstance(figure.get("value"), int | float):
        return "—", "—"
    factor, unit = UNITS.get(str(figure.get("unit", "")), (1.0, str(figure.get("unit", ""))))
    value = factor * figure["value"]
    low, high = (figure.get(name) for name in ("low", "high"))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return f"{_short(value)} {unit}".rstrip(), "—"
    low, high = factor * low, factor * high
    digits = _digits(high - low, value)
    said = [f"{number:.{digits}f}".replace("-", "−") for number in (value, low, high)]
    if not any(digit in "123456789" for digit in "".join(said)):
        said = ["0", "0", "0"]
    return f"{said[0]} {unit}".rstrip(), f"{said[1]} to {said[2]}"


def _digits(width: float, value: float) -> int:
    """Return how many decimals show two figures of an interval's width, six at most; of the value when it is 0."""
    size = abs(width) or abs(value)
    return min(6, max(0, 1 - math.floor(math.log10(size)))) if math.isfinite(size) and size > 0 else 0


def _identity(summary: Mapping[str, Any], say: Words) -> Table:
    usable = summary.get("usable") or {}
    gaps = summary.get("gaps") or []
    missing = sum(int(gap.get("samples", 0)) for gap in gaps)
    answer = say(str(usable.get("answer", "—")))
    rate, interval = figure_words(summary.get("heart_rate"))
    beats = summary.get("beats") or {}
    rows = [
        (say("subject"), str(summary.get("subject") or say("no code given"))),
        (say("source"), str(summary.get("source", "—"))),
        (say("duration"), f"{_short(summary.get('duration_s'))} s at {_short(summary.get('rate_hz'))} Hz"),
        (say("gaps"), f"{len(gaps)}, {missing} {say('samples')}" if gaps else say("none")),
        (say("usable"), ": ".join([answer, *(["; ".join(usable["reasons"])] if usable.get("reasons") else [])])),
        (say("heart rate"), rate if interval == "—" else f"{rate} ({interval})"),
        *_mother(summary, say),
        (say("beats"), ", ".join(f"{n} {say(kind)}" for kind, n in beats.items()) or say("none found")),
    ]
    return Table("Recording and quality", ("", ""), rows)


def _mother(summary: Mapping[str, Any], say: Words) -> list[tuple[str, str]]:
    """Return the row of the mother's heart, when the scan is of a fetus."""
    if not (mother := (summary.get("hearts") or {}).get("mother")):
        return []
    rate, interval = figure_words(mother.get("heart_rate"))
    return [(say("mother's heart rate"), rate if interval == "—" else f"{rate} ({interval})")]


def _parameters(summary: Mapping[str, Any], say: Words) -> Table:
    found = summary.get("parameters") or {}
    rows = [(say(parameter_name(name)), *figure_words(figure), published(name)) for name, figure in found.items()]
    columns = ("parameter", "value", "95 % interval", "in the literature")
    below = sources(list(found))
    if below:
        below = ["Ranges of other people and devices, for orientation: no verdict on this one.", *below]
    return Table("Parameters", columns, rows, "none could be measured", tuple(below))


def _cleaning(summary: Mapping[str, Any]) -> Table:
    rows = []
    for step in summary.get("cleaning") or []:
        bands = step.get("shielding_db") or {}
        shielding = ", ".join(f"{_decibel(value)} dB ({band})" for band, value in bands.items() if value is not None)
        rows.append(
            (
                str(step.get("stage", "—")),
                shielding or "—",
                _percent(step.get("heart_kept")),
                _percent((step.get("injected") or {}).get("heart_kept")),
                _short(step.get("map_correlation")),
                _unit(step.get("map_angle"), 1, "°"),
                _short(step.get("noise_gain")),
                _unit(step.get("delay_s"), 1e3, " ms"),
            )
        )
    heart = ("heart kept", "beside the stream", "map correlation", "maps turned", "noise gain", "delay")
    why = tuple(str(summary[key]) for key in ("chain",) if summary.get(key))
    return Table("What was removed, and what it cost", ("step", "shielding", *heart), rows, "nothing was removed", why)


def _channels(summary: Mapping[str, Any], say: Words) -> Table:
    channels: Mapping[str, Mapping[str, str]] = summary.get("channels") or {}
    bad = [(name, c.get("status", "—"), c.get("why", "")) for name, c in channels.items() if c.get("status") != "good"]
    note = "all channels are good" if channels else "no channels"
    title = f"{say('Channels')} ({len(channels) - len(bad)}/{len(channels)})"
    return Table(title, ("channel", "status", "why"), bad, note)


def _flat(tree: Mapping[str, Any], path: str = "") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            rows += _flat(value, f"{path}{key}.")
        else:
            rows.append((f"{path}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return rows


def _unit(value: object, scale: float, unit: str) -> str:
    return f"{scale * value:.1f}{unit}" if isinstance(value, int | float) else "—"


def _decibel(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}".replace("-", "−")


def _percent(value: object) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else "—"


def _short(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.4g}".replace("-", "−")
    return "—" if value is None else str(value)
