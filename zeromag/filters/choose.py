"""Choose the default chain for an array and its room, and say why in one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

import numpy as np

from zeromag.filters.candidate import MOST_NOISE, Candidate, Remover, candidates, weigh
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.known_heart import heart_size
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import NOMINAL, Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import KEEP
from zeromag.filters.operator import located
from zeromag.filters.room_look import RoomLook
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

Suppression = Literal["auto", "joint", "homogeneous", "none"]

SAME_DB = 3.0  # shielding so near to the best counts as equal; then the truer map wins
SAME_MAP = 0.03  # of a map: so near to the best what shields more wins
FEWEST = 6  # channels with a place; below, no field can be told from another


@dataclass(frozen=True, slots=True)
class Choice:
    """A chain and the reason for it, one line for people."""

    chain: Chain
    reason: str


def default_chain(
    sensors: SensorArray,
    rate: float,
    *,
    line: float | None = None,
    low_pass: float | None = 100.0,
    suppression: Suppression = "auto",
    look: RoomLook | None = None,
) -> Choice:
    """Return mask → interference → mains → low-pass as the array allows and, after a look at it, the room asks for.

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
    spatial, reason = _interference(sensors, suppression, look)
    if spatial is not None:
        stages.append(spatial)
    if line is not None or max(NOMINAL) < rate / 2:
        stages.append(Mains(line))
    else:
        reason += f"; no mains filter at {rate:g} Hz"
    if low_pass is not None:
        stages.append(LowPass(low_pass))
    return Choice(Chain(tuple(stages)), reason)


def _interference(sensors: SensorArray, suppression: Suppression, look: RoomLook | None) -> tuple[Remover | None, str]:
    """Return the spatial stage, if any, and why."""
    if suppression == "none":
        return None, "no interference removal, as asked"
    if suppression != "auto":
        return _forced(weigh(JointFit() if suppression == "joint" else HomogeneousField(1), sensors))
    if look is None:
        return _best(sensors)
    if look.by_array is None:
        for _ in weighing(sensors, look):
            pass
    stage, reason = look.by_array or _best(sensors)
    return _in_room(stage, reason, sensors, look)


def _best(sensors: SensorArray, weighed: list[Candidate] | None = None) -> tuple[Remover | None, str]:
    """Return what shields most of all that leaves the heart alone; `weighed`: the array's candidates, if they are."""
    good = sensors.usable()
    rows = located(sensors, "mag")
    n_mag, n_ref = int(good[rows].sum()), int(good[located(sensors, "ref")].sum())
    array = f"{n_mag} channels with a place" + (f" and {n_ref} references" if n_ref else "")
    if n_mag < FEWEST:
        return None, f"no interference removal: it needs {FEWEST} channels with a place, got {n_mag}"
    known = list(candidates(sensors)) if weighed is None else weighed
    fit = [candidate for candidate in known if candidate.acceptable()]
    if fit:
        enough = max(candidate.shielding for candidate in fit) - SAME_DB
        best = max((c for c in fit if c.shielding >= enough), key=lambda candidate: candidate.cost.map_correlation)
        return best.stage, f"{array}: {best.say()}"
    headless = [candidate for candidate in known if np.isnan(candidate.cost.heart_kept)]
    if headless:  # a helmet or a vest: no heart to reckon with, so the mildest that there is
        return headless[0].stage, f"{array}: {headless[0].say()}"
    return (
        None,
        f"{array}: no interference removal, none keeps {KEEP:.0%} of the heart at a noise gain below {MOST_NOISE:g}",
    )


def weighing(sensors: SensorArray, look: RoomLook) -> Iterator[Candidate]:
    """Weigh what the room may ask for once the look is over, one candidate a step, so that no block waits for all."""
    there = look.found(sensors)
    plain: list[Candidate] = []
    for candidate in candidates(sensors):
        plain.append(candidate)
        yield candidate
    look.by_array = running, _ = _best(sensors, plain)
    more = candidates(there, roomy=True)
    for candidate in chain((weigh(stage, there) for stage in (running, None)), more):
        if not look.known or (candidate.keeps() and candidate.stage != running):
            look.known.append(candidate)
        yield candidate


def _in_room(running: Remover | None, reason: str, sensors: SensorArray, look: RoomLook) -> tuple[Remover | None, str]:
    """Return what leaves the truest map in this room, and why; what runs stays unless another one is clearly better.

    Of what comes within 3 % of a map of the best, the one that shields most is asked, since a lift may come in the next
    minute; what runs has to be worse than that one by 3 %.
    """
    there = look.found(sensors)
    size = heart_size(there)
    if size is None:
        return running, reason
    known = look.known
    left = look.left([candidate.matrix for candidate in known], there)
    if left is None:
        return running, f"{reason}; the room could not be measured in its first {look.seconds:g} s"
    errors = np.hypot([candidate.cost.map_error for candidate in known], left / size)
    able = [k for k, candidate in enumerate(known) if candidate.keeps()]
    best = min(able, key=lambda k: float(errors[k]))
    near = [k for k in able if errors[k] - errors[best] < SAME_MAP]
    chosen = max(near, key=lambda k: known[k].shielding)
    seen = f"in the room of the first {look.seconds:g} s one beat's map at R comes within"
    if 0 in able and errors[0] - errors[chosen] < SAME_MAP:
        return running, f"{reason}; {seen} {errors[0]:.1%}, and nothing that shields is better by {SAME_MAP:.0%}"
    before = f"{known[0].name()} {errors[0]:.1%}" + ("" if 0 in able else f" and keeps {known[0].cost.heart_kept:.0%}")
    return known[chosen].stage, f"{known[chosen].say()}; {seen} {errors[chosen]:.1%} by it, by {before}"


def _forced(candidate: Candidate) -> tuple[Remover | None, str]:
    """Return a stage that was asked for by name, with a warning if it takes much of the heart."""
    lost = 1 - candidate.cost.heart_kept
    warning = f"; WARNING: it takes {lost:.0%} of the heart" if lost > 1 - KEEP else ""
    return candidate.stage, f"{candidate.say()}, as asked{warning}"
