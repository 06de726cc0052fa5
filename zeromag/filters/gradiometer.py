"""Synthetic gradiometer: what the references say of the room, carried to each channel by geometry alone."""

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
class Gradiometer:
    """y ← y - E_mag E_ref⁺ r: the external field up to `order`, fitted on the references only.

    Order 1 subtracts a uniform field (first-order gradiometer), order 2 the gradients as well. The heart is kept
    but for what the references see of it; noise of the references comes in, 2.8 times the sensors' own at order 2.
    """

    order: int = 1

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"a synthetic gradiometer knows orders 1, 2 and 3, got {self.order}")

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If the references cannot tell all fields of this order apart.
        """
        rows, refs = located(sensors, "mag"), located(sensors, "ref")
        both = np.concatenate([rows, refs])
        basis = external_basis(sensors.positions[both], sensors.axes[both], self.order) if len(both) else None
        if basis is None or not _told_apart(basis[len(rows) :]):
            raise ValueError(
                f"a synthetic gradiometer of order {self.order} needs references that tell "
                f"{self.order * (self.order + 2)} fields apart, got {len(refs)} references with a place"
            )

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[refs]
            seen = basis[len(rows) :][usable]
            if not _told_apart(seen):
                return nothing()
            return Operator(
                inputs=refs[usable],
                outputs=rows,
                left=-basis[: len(rows)],
                right=np.asarray(np.linalg.pinv(seen, rcond=1e-9), dtype=np.float64),
            )

        return planned

    def start(self, head: Block) -> Step:
        """Return the running subtraction."""
        return SpatialStep(self.plan(head.sensors), head)


def _told_apart(seen: NDArray[np.float64]) -> bool:
    """Return whether references (n_refs, n_fields) see every field independently."""
    return bool(seen.size) and orthonormal(seen, 1e-4).shape[1] == seen.shape[1]
