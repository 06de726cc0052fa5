"""`zeromag compare`: two scans of one person, or one heart by two arrays, on one grid."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeromag.commands.settings import session_of
from zeromag.errors import InputError, StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.mapping.compare import Comparison
    from zeromag.scan.outcome import Outcome
    from zeromag.session import Session


def run(flags: argparse.Namespace) -> int:
    """Map both, compare their normal beats, print what changed, write `compare.json` and `compare.png`."""
    from zeromag.mapping.compare import compare
    from zeromag.output.ready import ready

    ready(flags.out)
    session = session_of(flags)
    outcomes = [_mapped(session.changed(source=source)) for source in (flags.first, flags.second)]
    averages = [_normal(outcome, source) for outcome, source in zip(outcomes, (flags.first, flags.second), strict=True)]
    try:
        comparison = compare(*averages, *(outcome.parameters for outcome in outcomes))
    except ValueError as error:
        raise InputError(f"{flags.first} and {flags.second} cannot be compared: {error}") from error
    for line in _table(comparison):
        print(line)
    _write(flags.out, flags, comparison)
    print(f"zeromag: compare.json and compare.png are in {flags.out}", file=sys.stderr)
    return 0


def _mapped(session: Session) -> Outcome:
    from zeromag.offline import map_recording

    with Progress(f"mapping {session.source}") as progress:
        return map_recording(session, progress)


def _normal(outcome: Outcome, source: str) -> Any:
    found = next((average for average in outcome.averages if average.kind == "normal"), None)
    if found is None:
        raise InputError(f"{source} has no normal heartbeat to compare")
    return found


def _table(comparison: Comparison) -> list[str]:
    """Return the maps' likeness and one line a parameter; `*`: significant among all of them (Holm)."""
    lines = [
        f"maps at {peak}: correlation {alike:.4f}"
        for peak, alike in zip(comparison.peaks, comparison.correlation, strict=True)
    ]
    for name, change in sorted(comparison.changes.items()):
        ends = "" if change.low is None or change.high is None else f"  ({change.low:+.4g} to {change.high:+.4g})"
        chance = "" if change.p_holm is None else f"  p {change.p:.2g}, of all {change.p_holm:.2g}"
        mark = "*" if change.significant else " "
        values = f"{change.first['value']:.4g} → {change.second['value']:.4g} {change.first['unit']}"
        lines.append(f"{mark} {name}: {values}, difference {change.difference:+.4g}{ends}{chance}")
    return lines


def _write(out: Path, flags: argparse.Namespace, comparison: Comparison) -> None:
    from zeromag.viz.comparison import comparison_figure
    from zeromag.viz.report import png

    numbers = {
        "notice": "Research use. Not a medical device.",
        "first": flags.first,
        "second": flags.second,
        "correlation": dict(zip(comparison.peaks, comparison.correlation, strict=True)),
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
