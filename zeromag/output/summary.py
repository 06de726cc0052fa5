"""`summary.json`: the numbers of a run, each with its interval, and where they come from."""

from __future__ import annotations

import json
import math
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zeromag import __version__
from zeromag.mapping.beat import own
from zeromag.mapping.criteria import INDEPENDENT, Literature, literature
from zeromag.mapping.heart_rate import heart_rate
from zeromag.scan.outcome import Outcome
from zeromag.session import Session

LIBRARIES = ("numpy", "scipy", "numba", "mne", "h5py", "pyzmq")


def summary(outcome: Outcome, session: Session) -> dict[str, Any]:
    """Return the dictionary that is written; the same stream and session give the same bytes."""
    counted = Counter(beat.kind for beat in outcome.beats if not beat.why)
    return {
        "zeromag": __version__,
        "notice": "Research use. Not a medical device.",
        "source": session.source,
        "subject": session.subject,
        "rate_hz": outcome.rate,
        "samples": outcome.stop - outcome.first,
        "duration_s": (outcome.stop - outcome.first) / outcome.rate,
        "gaps": [{"sample": gap.sample, "samples": gap.samples} for gap in outcome.gaps],
        "channels": outcome.channels,
        "heart_rate": outcome.heart_rate,
        **_hearts(outcome),
        "beats": dict(sorted(counted.items())),
        "beats_left_out": dict(sorted(Counter(beat.why for beat in outcome.beats if beat.why).items())),
        "usable": outcome.usable,
        "notes": list(outcome.notes),
        "cleaning": outcome.cleaning,
        "chain": outcome.chain_reason,
        "map": outcome.no_map or "minimum norm",
        "sources": _sources(outcome, session),
        "parameters": outcome.parameters,
        "channel_qt_s": dict(outcome.channel_qt),
        "literature": [_rule(one) for one in literature(outcome.parameters)],
        "session": session.as_dict(),
        "changes": [
            {"sample": event.sample, "setting": event.why} for event in outcome.events if event.kind == "session"
        ],
        "provenance": provenance(),
    }


def _hearts(outcome: Outcome) -> dict[str, Any]:
    """Return rate and beats of fetus and mother apart, where both were looked for."""
    if not any(beat.mothers or beat.kind == "fetal" for beat in outcome.beats):
        return {}
    fetus, mother = own(outcome.beats), [beat for beat in outcome.beats if beat.mothers]
    return {
        "hearts": {
            name: {
                "heart_rate": heart_rate(beats),
                "beats": sum(not beat.why for beat in beats),
                "left_out": sum(bool(beat.why) for beat in beats),
            }
            for name, beats in (("fetus", fetus), ("mother", mother))
        }
    }


def _sources(outcome: Outcome, session: Session) -> dict[str, Any]:
    """Return how sources were found, the loop's place, and why the conductor is in doubt (empty: it is not)."""
    loop = outcome.sources.loop
    return {
        "method": session.sources.method,
        "conductor": session.sources.conductor,
        "loop_place_m": list(loop.place) if loop is not None else None,
        "loop_explained": loop.explained if loop is not None else None,
        "doubt": outcome.sources.doubt,
    }


def _rule(one: Literature) -> dict[str, Any]:
    """Return one published rule beside the number it is about: what a paper says, not what zeromag says."""
    rule = one.criterion
    return {
        "name": rule.name,
        "parameter": rule.parameter,
        "value": one.found["value"],
        "least": rule.least,
        "most": rule.most,
        "unit": rule.unit,
        "rule_of_the_paper": one.met,
        "study": rule.study,
        "cohort": rule.cohort,
        "caution": "; ".join(part for part in (rule.caution, INDEPENDENT) if part),
    }


def provenance() -> dict[str, str]:
    """Return the versions that made the numbers."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in LIBRARIES},
    }


def write_summary(path: Path, numbers: dict[str, Any]) -> None:
    """Write JSON that any reader takes: a number that is not finite becomes null."""
    path.write_text(
        json.dumps(_finite(numbers), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
