"""Adaptive multipole models: outer field projected out, then only what an inner model explains is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import ORDERS, external_basis, orthonormal
from zeromag.filters.joint_fit import heart_basis
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.filters.spheroid import spheroid_about
from zeromag.filters.temporal_separation import HOP_S, WindowStep, without_common
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

    With a `correlation` below 1 the temporal extension of the same paper is on: what goes on inside and in the rest
    y - P M y - U Uᵀ y alike over the last `window` seconds came from too near, and is taken out of the inside. The
    inner basis must hold the whole heart (20 vectors on 36 triaxial sensors): of 10 the rest sees it, and it is taken.
    """

    inner: int = 9
    outer: int = 2
    basis: Basis = "spheroid"
    correlation: float = 1.0
    window: float = 10.0  # s

    def __post_init__(self) -> None:
        if self.inner < 1:
            raise ValueError(f"the inner order must be 1 or more, got {self.inner}")
        if self.outer not in ORDERS:
            raise ValueError(f"the outer order is 1, 2 or 3, got {self.outer}")
        if self.basis not in get_args(Basis):
            raise ValueError(f"the basis is one of {', '.join(get_args(Basis))}, got {self.basis!r}")
        if not 0 < self.correlation <= 1:
            raise ValueError(f"the correlation must be above 0 and at most 1 (off), got {self.correlation}")
        if not self.window >= 2 * HOP_S:
            raise ValueError(f"the window must be at least {2 * HOP_S:g} s, got {self.window}")

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If there are more unknowns than channels, or no spheroid fits the array.
        """
        rows = located(sensors, "mag")
        inside, outside = self._bases(sensors, rows)

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[rows]
            spaces = _spaces(inside[usable], outside[usable])
            if spaces is None:
                return nothing()
            columns, kept = rows[usable], spaces[0]
            return Operator(columns, columns, kept, np.ascontiguousarray(kept.T), 0.0)

        return planned

    def windowed(self, sensors: SensorArray) -> Callable[[NDArray[np.float64], NDArray[np.bool_]], Operator]:
        """Return the operator of the temporal extension for any covariance (n, n) of the channels and good ones."""
        rows = located(sensors, "mag")
        inside, outside = self._bases(sensors, rows)

        def planned(covariance: NDArray[np.float64], usable: NDArray[np.bool_]) -> Operator:
            spaces = _spaces(inside[usable], outside[usable])
            if spaces is None:
                return nothing()
            kept, rest = spaces
            part = covariance[np.ix_(usable, usable)]
            right = without_common(kept.T, rest, part, self.correlation)
            return Operator(rows[usable], rows[usable], kept, np.ascontiguousarray(right), 0.0)

        return planned

    def start(self, head: Block) -> Step:
        """Return the running model."""
        plan = self.plan(head.sensors)
        if self.correlation == 1:
            return SpatialStep(plan, head)
        return WindowStep(plan, self.windowed(head.sensors), located(head.sensors, "mag"), self.window, head)

    def _bases(self, sensors: SensorArray, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what these channels read of sources inside and of the external field."""
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
        return inside, outside


def _spaces(
    inside: NDArray[np.float64], outside: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return orthonormal bases (n, rank) of M A and of what neither it nor the outside explains; None if too few."""
    far = orthonormal(outside) if len(outside) else outside
    if len(inside) <= inside.shape[1] + far.shape[1]:
        return None
    kept = orthonormal(inside - far @ (far.T @ inside))
    both = np.hstack([far, kept])
    rest = np.linalg.svd(both, full_matrices=True)[0][:, both.shape[1] :]
    return kept, rest
