"""Choose the default chain for an array, and say why in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from zeromag.filters.far_sources import predicted_shielding
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.known_heart import heart_below
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import NOMINAL, Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import KEEP, measure
from zeromag.filters.operator import located
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

Suppression = Literal["auto", "joint", "homogeneous", "none"]

MOST_NOISE = 2.0  # noise gain
ALIKE = 0.995  # correlation of the maps
SAME_DB = 3.0  # shielding so near to the best counts as equal; then the truer map wins
FEWEST = 6  # channels with a place; below, no field can be told from another


@dataclass(frozen=True, slots=True)
class Choice:
    """A chain and the reason for it, one line for people."""

    chain: Chain
    reason: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    stage: HomogeneousField | JointFit
    kept: float
    alike: float
    noise: float
    shielding: float

    def acceptable(self) -> bool:
        return self.kept >= KEEP and self.alike >= ALIKE and self.noise <= MOST_NOISE

    def say(self) -> str:
        what = (
            f"joint fit of heart (rank {self.stage.rank}) and external field (order {self.stage.order})"
            if isinstance(self.stage, JointFit)
            else f"homogeneous field correction of order {self.stage.order}"
        )
        heart = (
            "no heart volume lies below this array" if np.isnan(self.kept) else f"keeps {self.kept:.0%} of the heart"
        )
        return f"{what}: {heart}, {self.shielding:.0f} dB against sources 3 m away, noise × {self.noise:.2f}"


def default_chain(
    sensors: SensorArray,
    rate: float,
    *,
    line: float | None = None,
    low_pass: float | None = 100.0,
    suppression: Suppression = "auto",
) -> Choice:
    """Return mask → interference → mains → low-pass as the array allows.

    `line` is the nominal mains frequency (None: found out), `low_pass` the corner in Hz (None: none).

    Raises
    ------
    ValueError
        If a setting cannot work with this array or rate; one sentence with the number.
    """
    if suppression not in get_args(Suppression):
        raise ValueError(f"suppression is one of {', '.join(get_args(Suppression))}, got {suppression!r}")
    if low_pass is not None and not 0 < low_pass < rate / 2:
        raise ValueError(f"the low-pass must lie between 0 and {rate / 2:g} Hz, half the rate, got {low_pass:g} Hz")
    if line is not None and not 0 < line < rate / 2:
        raise ValueError(f"mains at {line:g} Hz cannot be seen at a rate of {rate:g} Hz")
    stages: list[Stage] = [MaskBad()]
    spatial, reason = _interference(sensors, suppression)
    if spatial is not None:
        stages.append(spatial)
    if line is not None or max(NOMINAL) < rate / 2:
        stages.append(Mains(line))
    else:
        reason += f"; no mains filter at {rate:g} Hz"
    if low_pass is not None:
        stages.append(LowPass(low_pass))
    return Choice(Chain(tuple(stages)), reason)


def _interference(sensors: SensorArray, suppression: Suppression) -> tuple[Stage | None, str]:
    """Return the spatial stage, if any, and why."""
    if suppression == "none":
        return None, "no interference removal, as asked"
    if suppression != "auto":
        return _forced(_weigh(JointFit() if suppression == "joint" else HomogeneousField(1), sensors))
    return _best(sensors)


def _best(sensors: SensorArray) -> tuple[Stage | None, str]:
    """Return what shields most of all that leaves the heart alone."""
    good = sensors.usable()
    rows = located(sensors, "mag")
    n_mag, n_ref = int(good[rows].sum()), int(good[located(sensors, "ref")].sum())
    array = f"{n_mag} channels with a place" + (f" and {n_ref} references" if n_ref else "")
    if n_mag < FEWEST:
        return None, f"no interference removal: it needs {FEWEST} channels with a place, got {n_mag}"
    candidates = _candidates(sensors)
    fit = [candidate for candidate in candidates if candidate.acceptable()]
    if fit:
        enough = max(candidate.shielding for candidate in fit) - SAME_DB
        best = max((c for c in fit if c.shielding >= enough), key=lambda candidate: candidate.alike)
        return best.stage, f"{array}: {best.say()}"
    headless = [candidate for candidate in candidates if np.isnan(candidate.kept)]
    if headless:  # a helmet or a vest: no heart to reckon with, so the mildest that there is
        return headless[0].stage, f"{array}: {headless[0].say()}"
    return (
        None,
        f"{array}: no interference removal, none keeps {KEEP:.0%} of the heart at a noise gain below {MOST_NOISE:g}",
    )


def _candidates(sensors: SensorArray) -> list[_Candidate]:
    """Return what this array can carry, weighed."""
    found = []
    below = heart_below(sensors, HeartVolume())
    joint = (JointFit(order=2), JointFit(order=1), JointFit(rank=6, order=2)) if below else ()
    for stage in (HomogeneousField(1), *joint):
        try:
            found.append(_weigh(stage, sensors))
        except ValueError:  # more unknowns than channels, or no heart volume below the array
            continue
    return found


def _weigh(stage: HomogeneousField | JointFit, sensors: SensorArray) -> _Candidate:
    cost = measure(stage, sensors, 1000.0)  # the rate does not matter to a spatial stage
    matrix = stage.plan(sensors)(sensors.usable()).matrix(len(sensors))
    return _Candidate(
        stage, cost.heart_kept, cost.map_correlation, cost.noise_gain, predicted_shielding(matrix, sensors)
    )


def _forced(candidate: _Candidate) -> tuple[Stage, str]:
    """Return a stage that was asked for by name, with a warning if it takes much of the heart."""
    lost = 1 - candidate.kept
    warning = f"; WARNING: it takes {lost:.0%} of the heart" if lost > 1 - KEEP else ""
    return candidate.stage, f"{candidate.say()}, as asked{warning}"
