"""`zeromag compare`: two scans of one person, or one heart by two arrays, on one grid."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zeromag.commands.settings import session_of
from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.mapping.average import Average
    from zeromag.mapping.change import Change
    from zeromag.mapping.compare import Comparison
    from zeromag.scan.outcome import Outcome
    from zeromag.session import Session


SMALLEST = 1e-4  # a smaller p is not told apart


def run(flags: argparse.Namespace) -> int:
    """Map both, compare their normal beats, print what changed, write `compare.json` and `compare.png`."""
    from zeromag.mapping.compare import compare
    from zeromag.output.ready import ready

    ready(flags.out)
    session = session_of(flags)
    outcomes = [_mapped(session.changed(source=source)) for source in (flags.first, flags.second)]
    first, second = _usual(outcomes[0], flags.first), _usual(outcomes[1], flags.second)
    try:
        comparison = compare(first, second, outcomes[0].parameters, outcomes[1].parameters)
    except ValueError as error:
        raise InputError(f"{flags.first} and {flags.second} cannot be compared: {error}") from error
    for line in [*_maps(comparison), "", *_table(comparison)]:
        print(line)
    _write(flags.out, flags, comparison)
    print(f"zeromag: compare.json and compare.png are in {flags.out}", file=sys.stderr)
    return 0


def _mapped(session: Session) -> Outcome:
    from zeromag.offline import map_recording

    with Progress(f"mapping {session.source}") as progress:
        return map_recording(session, progress)


def _usual(outcome: Outcome, source: str) -> Average:
    found = next((average for average in outcome.averages if average.main), None)
    if found is None:
        raise InputError(f"{source} has no normal heartbeat to compare")
    return found


def _maps(comparison: Comparison) -> list[str]:
    """Return a line an instant: how alike the maps are, what differs most, and whether that is more than chance."""
    lines = []
    for k, (peak, alike) in enumerate(zip(comparison.peaks, comparison.correlation, strict=True)):
        spot = comparison.spot(k)
        most = f"{1e12 * spot.difference:+.3g} pT ({abs(spot.z):.1f} standard deviations)"
        place = f"{1e3 * spot.x:+.0f}, {1e3 * spot.y:+.0f} mm (left, head)"
        chance = f"more than chance over {spot.share:.0%} of the map" if spot.share > 0 else "within what chance makes"
        lines.append(f"maps at {peak}: correlation {alike:.4f}, differ most by {most} at {place}: {chance}")
    return lines


def _table(comparison: Comparison) -> list[str]:
    """Return a line a parameter, in its own columns; `*`: significant among all of them (Holm)."""
    from zeromag.mapping.change import LEVEL
    from zeromag.viz.report_tables import figure_words, parameter_name

    rows: list[tuple[str, ...]] = [("parameter", "first", "second", "difference", "95 % interval", "p", "p of all")]
    for name, change in comparison.changes.items():
        away = {
            "value": change.difference, "low": change.low, "high": change.high, "unit": change.first["unit"],
        }  # fmt: skip
        chances = ("—" if p is None else f"{p:.2g}" if p >= SMALLEST else f"<{SMALLEST:g}" for p in _chances(change))
        said = ("* " if change.significant else "  ") + parameter_name(name)
        values = (figure_words(one)[0] for one in (change.first, change.second))
        rows.append((said, *values, *figure_words(away), *chances))
    rows[0] = ("  " + rows[0][0], *rows[0][1:])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    count = sum(change.significant for change in comparison.changes.values())
    verb = "differs" if count == 1 else "differ"
    return [
        *lines,
        f"{count} of {len(lines) - 1} parameters {verb} by more than chance (*: p of all below {LEVEL:g}, Holm)",
    ]


def _chances(change: Change) -> tuple[float | None, float | None]:
    return change.p, change.p_holm


def _write(out: Path, flags: argparse.Namespace, comparison: Comparison) -> None:
    from zeromag.viz.comparison import comparison_figure
    from zeromag.viz.report import png

    numbers = {
        "notice": "Research use. Not a medical device.",
        "first": flags.first,
        "second": flags.second,
        "correlation": dict(zip(comparison.peaks, comparison.correlation, strict=True)),
        "maps": {peak: _map(comparison, k) for k, peak in enumerate(comparison.peaks)},
        "changes": {
            name: {
                "first": change.first,
                "second": change.second,
                "difference": {"value": change.difference, "low": change.low, "high": change.high},
                "p": change.p,
                "p_holm": change.p_holm,
                "significant": change.significant,
            }
            for name, change in comparison.changes.items()
        },
    }
    try:
        (out / "compare.json").write_text(json.dumps(numbers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (out / "compare.png").write_bytes(png(comparison_figure(comparison)))
    except OSError as error:
        raise StorageError(f"the comparison could not be written to {out}: {error.strerror or error}") from error


def _map(comparison: Comparison, k: int) -> dict[str, float]:
    """Return what is told of the maps at one instant, in SI units."""
    spot = comparison.spot(k)
    return {
        "first_s": float(comparison.first.time[k]),
        "second_s": float(comparison.second.time[k]),
        "difference_T": spot.difference,
        "z": spot.z,
        "x_m": spot.x,
        "y_m": spot.y,
        "z_of_chance": comparison.sure,
        "share_beyond_chance": spot.share,
    }
