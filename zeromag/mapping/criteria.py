"""Published criteria beside the numbers: literature with cohort and threshold, never a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zeromag.mapping.parameters import Parameter

Met = Literal["met", "not met", "open"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule as a paper states it: a parameter at or above `least`, and at or below `most`."""

    name: str
    parameter: str
    unit: str
    least: float
    most: float
    study: str
    cohort: str
    caution: str = ""
    period: float | None = None  # of an angle, whose rule is a sector

    def __call__(self, found: Parameter) -> Met:
        """Return whether the rule is met: `open` when the 95 % interval lies on both sides of a threshold."""
        inside = self._holds(found["value"])
        ends = [found["low"], found["high"]]
        if any(end is None or self._holds(end) != inside for end in ends):
            return "open"
        if found["low"] is not None and found["high"] is not None and self._between(found["low"], found["high"]):
            return "open"
        return "met" if inside else "not met"

    def _holds(self, value: float) -> bool:
        if self.period is None:
            return self.least <= value <= self.most
        return (value - self.least) % self.period <= self.most - self.least

    def _between(self, low: float, high: float) -> bool:
        """Return whether a whole sector fits into the interval, or the interval runs around the circle."""
        if self.period is None:
            return low < self.least and high > self.most
        return high - low >= min(self.period, self.period - (self.most - self.least), self.most - self.least)


@dataclass(frozen=True, slots=True)
class Literature:
    """What one rule says of one scan."""

    criterion: Criterion
    found: Parameter
    met: Met


_PARK = "Park et al. 2005, T wave from a third of its height to its peak"
_COHORT = "264 patients with acute chest pain without ST elevation, 9 channels, unshielded; PPV above 90 %"
_SENSE = "the sense of the angle is not printed with the table; here counter-clockwise from the patient's left"
_ENDLESS = float("inf")
PARK: tuple[Criterion, ...] = (
    Criterion("Park 1", "map_angle_T", "deg", -20.0, 110.0, _PARK, _COHORT, _SENSE, 360.0),
    Criterion("Park 2", "angle_change_T", "deg", 45.0, _ENDLESS, _PARK, _COHORT),
    Criterion("Park 3", "distance_change_T", "m", 0.020, _ENDLESS, _PARK, _COHORT),
    Criterion("Park 4", "ratio_change_T", "1", 0.3, _ENDLESS, _PARK, _COHORT),
)
INDEPENDENT = "an independent validation (Goodacre et al. 2020, n = 387, another device) reached an AUROC of 0.56"


def literature(parameters: Mapping[str, Parameter], criteria: tuple[Criterion, ...] = PARK) -> list[Literature]:
    """Return what each published rule says, for the parameters that this scan tells."""
    return [
        Literature(criterion, parameters[criterion.parameter], criterion(parameters[criterion.parameter]))
        for criterion in criteria
        if criterion.parameter in parameters
    ]
