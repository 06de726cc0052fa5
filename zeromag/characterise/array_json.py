"""`array.json`: every number of a characterisation with its interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zeromag.characterise.findings import Characterisation
from zeromag.characterise.spec import Verdict


def array_tree(
    found: Characterisation,
    source: str,
    version: str,
    verdicts: Sequence[Verdict] = (),
    beside: Mapping[str, Characterisation] | None = None,
) -> dict[str, Any]:
    """Return what goes into the file: numbers as `{value, low, high, unit, method}`, null where unknown.

    `beside` are others to compare with, by what they are: the array before its calibration, another array.
    """
    record = found.record
    status = record.status()
    tree: dict[str, Any] = {
        "zeromag": version,
        "source": source,
        "rate_hz": record.rate,
        "duration_s": record.seconds,
        "channels_good": status.count("good"),
        "array": {name: figure.to_dict() for name, figure in found.array.items()},
        "lines": [{"frequency_hz": line, "amplitude": figure.to_dict()} for line, figure in found.lines],
        "channels": {
            name: {
                "status": status[c],
                **{key: figure.to_dict() for key, figure in found.channels.get(name, {}).items()},
            }
            for c, name in enumerate(record.sensors.names)
        },
        "not_measured": found.why_not,
        "cautions": found.cautions,
    }
    if beside:
        tree["beside"] = {
            what: {name: figure.to_dict() for name, figure in other.array.items()} for what, other in beside.items()
        }
    if found.allan is not None:
        each = found.allan.deviation
        middle = [float(np.nanmedian(row)) if np.isfinite(row).any() else None for row in each]
        tree["allan"] = {"tau_s": found.allan.tau.tolist(), "median_T": middle}
    if found.response is not None:
        with np.errstate(invalid="ignore"):
            middle = [float(x) for x in np.nanmedian(np.abs(found.response.factor), axis=1)]
        tree["response"] = {"frequency_hz": found.response.frequency.tolist(), "median_factor": middle}
    if found.crosstalk is not None:
        tree["mixing"] = found.crosstalk.mixing.tolist()
    if verdicts:
        tree["passed"] = all(verdict.passed for verdict in verdicts)
        tree["verdicts"] = [_verdict(verdict) for verdict in verdicts]
    return tree


def _verdict(verdict: Verdict) -> dict[str, Any]:
    limit = verdict.limit
    return {
        "figure": limit.figure,
        "channel": verdict.channel or None,
        "min": limit.least if np.isfinite(limit.least) else None,
        "max": limit.most if np.isfinite(limit.most) else None,
        "measured": None if verdict.figure is None else verdict.figure.to_dict(),
        "passed": verdict.passed,
        "sure": verdict.sure,
    }


def array_json(tree: dict[str, Any]) -> str:
    """Return the file's text."""
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
