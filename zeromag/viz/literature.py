"""What the literature says of a parameter, to stand beside the number: a range, of whom, and where it is published.

Never a verdict: other devices, arrays and people give other ranges, and zeromag judges no patient.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCES = (
    "Rautaharju PM et al. Normal standards for computer-ECG programs … : the Women's Health Initiative. "
    "J Electrocardiol 2013;46:707–716. doi:10.1016/j.jelectrocard.2013.05.136. "
    "2nd to 98th percentile of the ECG of 36,299 healthy women; QT and Tpeak–Tend adjusted for rate by other formulas.",
    "Park JW et al. Magnetocardiography predicts coronary artery disease in patients with acute chest pain. "
    "Ann Noninvasive Electrocardiol 2005;10:312–323. doi:10.1111/j.1542-474X.2005.00634.x. "
    "264 patients, 9 channels, no shielded room; the limits are those that study worked with, within 30 ms of ST-T.",
    "Goodacre S et al. 2020: in 387 other patients with another device, such criteria told no more than chance "
    "(area under the curve 0.56).",
)


@dataclass(frozen=True, slots=True)
class Published:
    """A range as it was published; `source` counts from 1."""

    words: str
    source: int


RANGES = {
    "pr": Published("118 to 212 ms", 1),
    "qrs": Published("70 to 104 ms", 1),
    "qtc_bazett": Published("388 to 449 ms", 1),
    "qtc_fridericia": Published("388 to 449 ms", 1),
    "tpeak_tend": Published("63 to 112 ms", 1),
    "angle_change_T": Published("limit 45 °", 2),
    "distance_change_T": Published("limit 20 mm", 2),
    "ratio_change_T": Published("limit 0.3", 2),
}


def published(name: str) -> str:
    """Return the range of a parameter and the number of its source; empty where none is known to us."""
    found = RANGES.get(name)
    return "" if found is None else f"{found.words} [{found.source}]"


def sources(names: list[str]) -> list[str]:
    """Return the sources of these parameters' ranges, numbered; what has failed to confirm one stands with it."""
    used = {RANGES[name].source for name in names if name in RANGES}
    if 2 in used:
        used.add(3)
    return [f"[{number}] {SOURCES[number - 1]}" for number in sorted(used)]
