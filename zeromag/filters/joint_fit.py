"""Joint fit of the heart's lead field and the external field: keep what the heart explains."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import ORDERS, external_basis, orthonormal
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.physics.conductor import Conductor
from zeromag.physics.frame import array_frame
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray
from zeromag.stage import Step

SPARE = 2  # channels beyond the unknowns, so that a fit is a fit
FEWEST = 3  # heart components below which nothing is fitted


@dataclass(frozen=True, slots=True)
class JointFit:
    """Fits [A U] to all `mag` and `ref` channels and keeps ŷ = A â on the `mag` channels.

    A: the first `rank` left singular vectors of the lead field of the heart volume; U: external field up to
    `order` (signal-space separation with the heart's own basis in place of multipoles: Taulu & Kajola 2005;
    on flat arrays Sekihara 2018). An oblique projection: it keeps the heart where a projection would take it,
    at the price of the noise gain that `filters.meter` states. Reference channels carry no heart to speak of
    and pay for most of that price.
    """

    rank: int = 10
    order: int = 2
    conductor: Conductor = field(default_factory=HalfSpace)
    volume: HeartVolume = field(default_factory=HeartVolume)

    def __post_init__(self) -> None:
        if self.rank < FEWEST:
            raise ValueError(f"a joint fit needs a heart basis of at least {FEWEST}, got rank {self.rank}")
        if self.order not in ORDERS:
            raise ValueError(f"a joint fit knows external orders 1, 2 and 3, got {self.order}")

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If the array cannot carry so many unknowns, or the heart volume does not lie below it.
        """
        rows = located(sensors, "mag", "ref")
        some = sensors.pick(rows)
        heart = np.ascontiguousarray(_whole_basis(sensors, self.conductor, self.volume)[:, : self.rank])
        outside = orthonormal(external_basis(some.positions, some.axes, self.order))
        unknowns = self.rank + outside.shape[1]
        if unknowns + SPARE > len(rows):
            raise ValueError(
                f"a joint fit of rank {self.rank} and order {self.order} needs {unknowns + SPARE} channels "
                f"with a place, got {len(rows)}"
            )
        is_mag = np.array([sensors.kinds[c] == "mag" for c in rows.tolist()])

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[rows]
            far = orthonormal(outside[usable]) if usable.any() else np.zeros((0, 0))
            rank = min(self.rank, int(usable.sum()) - far.shape[1] - SPARE)
            if rank < FEWEST:
                return nothing()
            unmix = np.linalg.pinv(np.hstack([heart[usable, :rank], far]), rcond=1e-12)[:rank]
            return Operator(inputs=rows[usable], outputs=rows[is_mag], left=heart[is_mag, :rank], right=unmix, keep=0.0)

        return planned

    def start(self, head: Block) -> Step:
        """Return the running fit."""
        return SpatialStep(self.plan(head.sensors), head)


@lru_cache(maxsize=2)
def _whole_basis(sensors: SensorArray, conductor: Conductor, volume: HeartVolume) -> NDArray[np.float64]:
    """Return the basis of an array, kept since every rank that is weighed begins with it: (n_located, n_located)."""
    return heart_basis(sensors.pick(located(sensors, "mag", "ref")), conductor, volume, len(sensors))


def heart_basis(sensors: SensorArray, conductor: Conductor, volume: HeartVolume, rank: int) -> NDArray[np.float64]:
    """Return the first left singular vectors of the heart's lead field on sensors that all have a place: (n, rank).

    Each place of the volume is weighted by the inverse square root of its size: unweighted, the near end takes the
    basis and 88 % of a median heart is kept on 36 Bz; equally weighted, the noise gain is 2.03 instead of 1.78.
    """
    lead = volume.lead_field(conductor, sensors, array_frame(sensors))
    lead = lead / np.sqrt(np.linalg.norm(lead, axis=(0, 2)))[None, :, None]
    left, _, _ = np.linalg.svd(lead.reshape(len(sensors), -1), full_matrices=False)
    return np.ascontiguousarray(left[:, :rank])
