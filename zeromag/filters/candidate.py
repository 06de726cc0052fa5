"""A way to remove interference that the default chain may choose: what it costs the heart, and what it shields from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.filters.far_sources import predicted_shielding
from zeromag.filters.gradiometer import Gradiometer
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.known_heart import heart_below
from zeromag.filters.meter import KEEP, HeartCost, cost_of
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

MOST_NOISE = 2.0  # noise gain
ALIKE = 0.995  # correlation of the maps

Remover = Gradiometer | HomogeneousField | JointFit

PLAIN: tuple[Remover, ...] = (JointFit(order=2), JointFit(order=1), JointFit(rank=6, order=2))
ROOMY: tuple[Remover, ...] = (
    *PLAIN,
    JointFit(rank=6, order=1),
    JointFit(order=3),
    JointFit(rank=15, order=2),
    JointFit(rank=15, order=3),
    Gradiometer(1),
    Gradiometer(2),
)  # only where the room has been measured: it says whether what they cost is worth it


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A stage (None: no removal), weighed on an array."""

    stage: Remover | None
    matrix: NDArray[np.float64]  # (n_channels, n_channels), with the channels that are good
    cost: HeartCost
    shielding: float  # dB against sources 3 m away, predicted

    def acceptable(self) -> bool:
        """Return whether an array alone speaks for it: the heart as it was, and noise not much above it."""
        cost = self.cost
        return self.keeps() and cost.map_correlation >= ALIKE and cost.noise_gain <= MOST_NOISE

    def keeps(self) -> bool:
        """Return whether it leaves 90 % of the heart's power."""
        return self.cost.heart_kept >= KEEP

    def name(self) -> str:
        """Return what it is, for people."""
        stage = self.stage
        if stage is None:
            return "no interference removal"
        if isinstance(stage, JointFit):
            return f"joint fit of heart (rank {stage.rank}) and external field (order {stage.order})"
        kind = "homogeneous field correction" if isinstance(stage, HomogeneousField) else "gradiometer"
        return f"{kind} of order {stage.order}"

    def say(self) -> str:
        """Return what it is and does, for people."""
        kept = self.cost.heart_kept
        heart = "no heart volume lies below this array" if np.isnan(kept) else f"keeps {kept:.0%} of the heart"
        noise = self.cost.noise_gain
        return f"{self.name()}: {heart}, {self.shielding:.0f} dB against sources 3 m away, noise × {noise:.2f}"


def weigh(stage: Remover | None, sensors: SensorArray) -> Candidate:
    """Return a stage weighed on an array; ValueError if the array cannot carry it."""
    n = len(sensors)
    matrix = np.eye(n) if stage is None else stage.plan(sensors)(sensors.usable()).matrix(n)
    return Candidate(stage, matrix, cost_of(matrix, sensors), predicted_shielding(matrix, sensors))


def candidates(sensors: SensorArray, *, roomy: bool = False) -> Iterator[Candidate]:
    """Yield what this array can carry, weighed, the mildest first; `roomy`: also what only a room justifies."""
    below = heart_below(sensors, HeartVolume())
    more = (ROOMY if roomy else PLAIN) if below else ()
    for stage in (HomogeneousField(1), *more):
        try:
            yield weigh(stage, sensors)
        except ValueError:  # more unknowns than channels, too few references, or no heart volume below the array
            continue
