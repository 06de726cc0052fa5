"""Published criteria beside the numbers: literature with cohort and threshold, never a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zeromag.mapping.parameters import Parameter

Met = Literal["met", "not met", "open"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule as a paper states it: a parameter at or above `least`, and at or below `most`; NaN: not printed."""

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
        if np.isnan(self.least):
            return "open"
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
_KANDORI = "Kandori et al. 2010, a score of four: current angles at the T peak and their change over ST-T, from 2 on"
_KANDORI_COHORT = "56 patients with coronary disease, 101 controls, 64 channels; sensitivity 86 %, specificity 74 %"
_KANDORI_CUT = "the abstract names the four parameters and not their cut-offs: shown beside them, not judged"
KANDORI: tuple[Criterion, ...] = tuple(
    Criterion(f"Kandori {k}", name, "deg", np.nan, np.nan, _KANDORI, _KANDORI_COHORT, _KANDORI_CUT, 360.0)
    for k, name in enumerate(("current_angle_T", "total_current_angle_T", "total_current_turn_T"), 1)
)
CDV: tuple[Criterion, ...] = (
    Criterion(
        "Chaikovsky CDV",
        "cdv_class",
        "1",
        1.75,
        _ENDLESS,
        "Chaikovsky et al., mean class 0 to 4 of the current density maps over ST-T",
        "123 patients with coronary disease and a normal ECG, 124 controls, 4 channels at 36 sites, unshielded; "
        "sensitivity 76 %, specificity 81 %",
        "their table of classes is not printed in the abstract; here as docs/parameters.md says, from Tmax/3 to Tmax",
    ),
)
PUBLISHED = (*PARK, *KANDORI, *CDV)
INDEPENDENT = "an independent validation (Goodacre et al. 2020, n = 387, another device) reached an AUROC of 0.56"


def literature(parameters: Mapping[str, Parameter], criteria: tuple[Criterion, ...] = PUBLISHED) -> list[Literature]:
    """Return what each published rule says, for the parameters that this scan tells."""
    return [
        Literature(criterion, parameters[criterion.parameter], criterion(parameters[criterion.parameter]))
        for criterion in criteria
        if criterion.parameter in parameters
    ]
