"""Adaptive multipole models: outer field projected out, then only what an inner model explains is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import ORDERS, external_basis, orthonormal
from zeromag.filters.joint_fit import heart_basis
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.filters.spheroid import spheroid_about
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray
from zeromag.stage import Step

Basis = Literal["spheroid", "heart"]


@dataclass(frozen=True, slots=True)
class Multipole:
    """M = I - U Uᵀ,  y ← P M y with P the projection on M A (AMM: Tierney et al. 2024, Human Brain Mapping 45:e26596).

    U: external field up to `outer`; A: multipoles inside a prolate spheroid that fits the array (`inner` order,
    for helmets), or the first `inner` vectors of the heart's lead field (for flat arrays). The lead field becomes
    P M L: maps need it, since like homogeneous field correction of that order this takes most of a heart's power.
    """

    inner: int = 9
    outer: int = 2
    basis: Basis = "spheroid"

    def __post_init__(self) -> None:
        if self.inner < 1:
            raise ValueError(f"the inner order must be 1 or more, got {self.inner}")
        if self.outer not in ORDERS:
            raise ValueError(f"the outer order is 1, 2 or 3, got {self.outer}")
        if self.basis not in get_args(Basis):
            raise ValueError(f"the basis is one of {', '.join(get_args(Basis))}, got {self.basis!r}")

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If there are more unknowns than channels, or no spheroid fits the array.
        """
        rows = located(sensors, "mag")
        some = sensors.pick(rows)
        outside = external_basis(some.positions, some.axes, self.outer)
        if self.basis == "heart":
            inside = heart_basis(some, HalfSpace(), HeartVolume(), self.inner)
        else:
            inside = spheroid_about(some.positions).inside_basis(some.positions, some.axes, self.inner)
        unknowns = inside.shape[1] + orthonormal(outside).shape[1]
        if unknowns >= len(rows):
            raise ValueError(
                f"a multipole model of inner order {self.inner} and outer order {self.outer} needs more than "
                f"{unknowns} magnetometers with a place, got {len(rows)}"
            )

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[rows]
            if int(usable.sum()) <= unknowns:
                return nothing()
            far = orthonormal(outside[usable])
            free = inside[usable] - far @ (far.T @ inside[usable])
            kept = orthonormal(free)
            columns = rows[usable]
            return Operator(columns, columns, kept, np.ascontiguousarray(kept.T), 0.0)

        return planned

    def start(self, head: Block) -> Step:
        """Return the running model."""
        return SpatialStep(self.plan(head.sensors), head)
