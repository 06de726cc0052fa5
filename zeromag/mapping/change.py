"""Parameters of two scans side by side: how far each changed, and whether chance does that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zeromag.mapping.parameters import Parameter
from zeromag.mapping.unit import UNITS

LEVEL = 0.05
NORMAL = 1.96  # standard deviations in half a 95 % interval


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter in both scans."""

    first: Parameter
    second: Parameter
    difference: float
    low: float | None  # 95 % interval of the difference, the scans being independent
    high: float | None
    p: float | None  # of a difference as large by chance, were it normal
    p_holm: float | None = None  # the same among all the parameters that were compared (Holm 1979)

    @property
    def significant(self) -> bool:
        """Whether the difference is one of those that chance makes in one comparison of twenty, all counted together.

        Of forty parameters two have an interval that leaves out zero though nothing changed.
        """
        return self.p_holm is not None and self.p_holm < LEVEL


def changes(first: Mapping[str, Parameter], second: Mapping[str, Parameter]) -> dict[str, Change]:
    """Return the parameters that both scans tell, with the difference and its interval."""
    found: dict[str, Change] = {}
    for name in first:
        if name not in second:
            continue
        one, other = first[name], second[name]
        period = UNITS[name].period
        difference = other["value"] - one["value"]
        if period is not None:
            difference = (difference + period / 2) % period - period / 2
        down = _root(other["value"], other["low"], one["value"], one["high"])
        up = _root(other["value"], other["high"], one["value"], one["low"])
        low = None if down is None else difference - down
        high = None if up is None else difference + up
        found[name] = Change(one, other, difference, low, high, _chance(difference, low, high))
    return _together(found)


def _chance(difference: float, low: float | None, high: float | None) -> float | None:
    """Return the two-sided p of a difference from the side of its interval that lies towards zero."""
    if low is None or high is None:
        return None
    half = difference - low if difference > 0 else high - difference
    return math.erfc(abs(difference) / (half / NORMAL) / math.sqrt(2)) if half > 0 else float(difference == 0)


def _together(found: Mapping[str, Change]) -> dict[str, Change]:
    """Return the changes with Holm's p: the k-th smallest of m times m − k, none below the one before it."""
    told = sorted((change.p, name) for name, change in found.items() if change.p is not None)
    corrected = dict(found)
    least = 0.0
    for k, (p, name) in enumerate(told):
        least = max(least, min(1.0, p * (len(told) - k)))
        corrected[name] = replace(found[name], p_holm=least)
    return corrected


def _root(value: float, end: float | None, other: float, other_end: float | None) -> float | None:
    """Return the half width of a difference from one half width of each side."""
    return None if end is None or other_end is None else float(np.hypot(end - value, other_end - other))
