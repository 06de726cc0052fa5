"""Peaks that may be beats, and whether those that look alike are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.template import AFTER, BEFORE, LAG, Fit
from zeromag.qrs_power import Peak

CLEAR, SAME = 3.0, 0.95  # contrast, or correlation among beats, that few of them are believed with

BRIEF = 0.12 / (BEFORE + AFTER + 2 * LAG)  # 120 ms, of a candidate's span
WITHIN = 0.6  # of a beat's energy that lies in these: hearts reach 0.77 and more, what swings on and on 0.35 to 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A peak of the QRS power and what the channels did around it."""

    peak: Peak
    wave: F64  # QRS band around it, LAG wider than a template on each side

    @property
    def within(self) -> float:
        """Share of its energy that lies in the 120 ms that hold most of it."""
        power = np.concatenate(([0.0], np.cumsum(np.nansum(self.wave**2, axis=1))))
        n = round(BRIEF * len(self.wave))
        return float((power[n:] - power[:-n]).max() / power[-1]) if power[-1] > 0 else 0.0


Group = list[tuple[Candidate, Fit]]


def alike_groups(
    ranked: list[Candidate], pair: Callable[[Candidate, Candidate], Fit], at_least: int, alike: float
) -> list[Group]:
    """Return groups of peaks that are alike, the first of at least `at_least`, further ones of three or more."""
    groups: list[Group] = []
    for seed in ranked:
        if any(seed is one for group in groups for one, _ in group):
            continue
        fits = [(one, pair(one, seed)) for one in ranked]
        group = [(one, found) for one, found in fits if found.correlation >= alike]
        if len(group) >= at_least or (groups and len(group) >= 3):
            groups.append(group)
    return groups


def believable(groups: list[Group], ranked: list[Candidate], floor: float, contrast: float, agree: int) -> bool:
    """Return whether these are beats: most high peaks belong to a group, and they stand out or are the same.

    In noise the highest peaks look alike by chance too, but others as high do not, and none stands out. What swings at
    one frequency, as mains or a motor that cleaning left a little of, looks alike wherever it is high and does not end.
    """
    largest = max(groups, key=len)
    if np.median([one.within for one, _ in largest]) < WITHIN:
        return False
    level = float(np.median([one.peak.height for one, _ in largest]))
    member = {id(one) for group in groups for one, _ in group}
    tall = [one for one in ranked if one.peak.height >= 0.6 * level]
    share = sum(id(one) in member for one in tall) / max(1, len(tall))
    alike = float(np.median([found.correlation for _, found in largest]))
    stands_out = level / floor if floor > 0 else 0.0
    if stands_out >= CLEAR or alike >= SAME:
        return share >= 0.6
    same = len(largest) >= max(2 * agree, len(tall) // 2)
    return stands_out >= contrast and share >= 0.7 and same


def usual_first(groups: list[Group]) -> list[Group]:
    """Return the groups with the usual beat first: of those seen often, the one that keeps the longest distance."""
    at = sorted(one.peak.at for group in groups for one, _ in group)
    gaps = dict(zip(at[1:], np.diff(at).tolist(), strict=True))
    largest = max(len(group) for group in groups)

    def distance(group: Group) -> float:
        before = [gaps[one.peak.at] for one, _ in group if one.peak.at in gaps]
        often = 2 * len(group) >= largest
        return float(np.median(before)) if before and often else 0.0

    return sorted(groups, key=distance, reverse=True)
