"""`events.tsv`: beats, gaps, channels and marks as BIDS events."""

from __future__ import annotations

from pathlib import Path

from zeromag.scan.outcome import Outcome


def write_events(path: Path, outcome: Outcome) -> None:
    """Write `onset duration trial_type sample channel why`, in order; onset counts from the first sample, in s."""
    rows: list[tuple[float, float, str, str, str]] = [
        (event.sample, event.samples / outcome.rate, event.kind, event.channel, event.why) for event in outcome.events
    ]
    rows += [(beat.sample, 0.0, f"beat/{beat.kind}", "", beat.why) for beat in outcome.beats]
    rows.sort(key=lambda row: (row[0], row[2], row[3]))
    lines = ["onset\tduration\ttrial_type\tsample\tchannel\twhy"]
    for sample, duration, kind, channel, why in rows:
        onset = (sample - outcome.first) / outcome.rate
        cells = (f"{onset:.6f}", f"{duration:.6f}", kind, f"{round(sample)}", channel or "n/a", why or "n/a")
        lines.append("\t".join(cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
