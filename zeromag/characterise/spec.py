"""Pass or fail: figures against the limits of a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from zeromag.characterise.findings import Characterisation
from zeromag.characterise.measured import Measured
from zeromag.errors import InputError
from zeromag.toml_file import read_toml


@dataclass(frozen=True, slots=True)
class Limit:
    """What one figure may be; `scope` is `array` or `channels` (each of them)."""

    scope: str
    figure: str
    least: float = float("-inf")
    most: float = float("inf")

    def holds(self, figure: Measured) -> bool:
        """Return whether the value is inside."""
        return self.least <= figure.value <= self.most

    def sure(self, figure: Measured) -> bool:
        """Return whether the whole interval lies on the value's side of the limits."""
        inside = self.least <= figure.low and figure.high <= self.most
        outside = figure.high < self.least or figure.low > self.most
        return inside if self.holds(figure) else outside


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit, the figure it met and what came of it; a figure that was not measured fails."""

    limit: Limit
    channel: str  # empty: the whole array
    figure: Measured | None
    passed: bool
    sure: bool


def read_spec(path: Path) -> tuple[Limit, ...]:
    """Read `[array.FIGURE]` and `[channels.FIGURE]` tables with `min` and `max`.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """
    limits = []
    for scope, figures in read_toml(path, "specification").items():
        if scope not in {"array", "channels"} or not isinstance(figures, Mapping):
            raise InputError(f"{path}: a specification holds [array.FIGURE] and [channels.FIGURE], found {scope!r}")
        for figure, bounds in figures.items():
            limits.append(_limit(path, scope, figure, bounds))
    if not limits:
        raise InputError(f"{path} sets no limit; write for example [array.white] and max = 20.0")
    return tuple(limits)


def _limit(path: Path, scope: str, figure: str, bounds: object) -> Limit:
    if not isinstance(bounds, Mapping) or not bounds or set(bounds) - {"min", "max"}:
        raise InputError(f"{path}: [{scope}.{figure}] holds min, max or both, found {bounds!r}")
    for value in bounds.values():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{path}: [{scope}.{figure}] needs numbers, found {value!r}")
    return Limit(scope, figure, float(bounds.get("min", "-inf")), float(bounds.get("max", "inf")))


def judge(found: Characterisation, limits: tuple[Limit, ...]) -> list[Verdict]:
    """Return a verdict for each limit (each channel for those of channels).

    Raises
    ------
    InputError
        If a figure is known nowhere in the report; the nearest that is known is named.
    """
    known = {"array": set(found.array), "channels": {name for row in found.channels.values() for name in row}}
    verdicts: list[Verdict] = []
    for limit in limits:
        if limit.figure not in known[limit.scope]:
            close = get_close_matches(limit.figure, sorted(known[limit.scope]), n=1, cutoff=0.0)
            hint = f", did you mean {close[0]!r}" if close else ""
            raise InputError(f"no figure {limit.figure!r} was measured of the {limit.scope}{hint}")
        if limit.scope == "array":
            verdicts.append(_met(limit, "", found.array[limit.figure]))
        else:
            verdicts += [_met(limit, name, row.get(limit.figure)) for name, row in found.channels.items()]
    return verdicts


def _met(limit: Limit, channel: str, figure: Measured | None) -> Verdict:
    if figure is None:
        return Verdict(limit, channel, None, passed=False, sure=False)
    return Verdict(limit, channel, figure, limit.holds(figure), limit.sure(figure))
