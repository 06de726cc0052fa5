"""Homogeneous field correction: take out what a field from far away would read on this array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import ORDERS, external_basis, orthonormal
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.sensors import SensorArray
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class HomogeneousField:
    """Projects external fields up to `order` out of the `mag` channels (Tierney et al. 2021, NeuroImage 244:118484).

    y ← (I - U Uᵀ) y, U = orthonormal basis of the external field. White noise never grows. On a flat array
    order 1 removes the mean; order 2 takes most of the heart (science: 82 % of its power on a 6x6 grid), so it
    is never chosen unasked.
    """

    order: int = 1

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"homogeneous field correction knows orders 1, 2 and 3, got {self.order}")

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If there are no more channels than fields to take out.
        """
        rows = located(sensors, "mag")
        basis = external_basis(sensors.positions[rows], sensors.axes[rows], self.order) if len(rows) else None
        rank = 0 if basis is None else orthonormal(basis).shape[1]
        if basis is None or len(rows) <= rank:
            raise ValueError(
                f"homogeneous field correction of order {self.order} needs more than {max(rank, 1)} magnetometers "
                f"with a place, got {len(rows)}"
            )

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[rows]
            return _projection(rows, basis, usable)

        return planned

    def start(self, head: Block) -> Step:
        """Return the running projection."""
        return SpatialStep(self.plan(head.sensors), head)


def _projection(rows: NDArray[np.int64], basis: NDArray[np.float64], usable: NDArray[np.bool_]) -> Operator:
    """Return the projection fitted on usable channels; the others get the same field subtracted."""
    fitted = orthonormal(basis[usable]) if usable.any() else np.zeros((0, 0))
    rank = fitted.shape[1]
    if rank == 0 or rank >= int(usable.sum()):
        return nothing()
    left = np.zeros((len(rows), rank))
    left[usable] = -fitted
    # what the fitted fields read at the channels that were left out
    mix = np.linalg.pinv(basis[usable], rcond=1e-9) @ fitted
    left[~usable] = -(basis[~usable] @ mix)
    return Operator(inputs=rows[usable], outputs=rows, left=left, right=np.ascontiguousarray(fitted.T))
