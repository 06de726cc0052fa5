"""Signal-space separation: multipoles inside, harmonics outside; keep the inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.external import orthonormal
from zeromag.filters.harmonics import inside_basis, outside_basis
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.physics.frame import array_frame
from zeromag.sensors import SensorArray
from zeromag.stage import Step

BELOW_M = 0.10  # the default origin: the middle of the heart volume


@dataclass(frozen=True, slots=True)
class SignalSpaceSeparation:
    """[â; ê] = pinv([S_in S_out]) y,  ŷ = S_in â on the `mag` channels (Taulu & Kajola 2005; MCG: Sekihara 2018).

    References take part in the fit. `origin` None is 10 cm below the array's middle. Multipoles on a flat array
    are costly: inner order 6 makes the noise 50 times larger on 64 Bz. `damping` (a fraction of the largest
    singular value) keeps that in bounds; ask the heart meter.
    """

    inner: int = 4
    outer: int = 2
    origin: tuple[float, float, float] | None = None  # m
    damping: float = 0.0

    def __post_init__(self) -> None:
        if self.inner < 1 or self.outer < 1:
            raise ValueError(f"orders must be 1 or more, got inner {self.inner} and outer {self.outer}")
        if not 0 <= self.damping < 1:
            raise ValueError(f"damping must be 0 to 1, got {self.damping}")

    def centre(self, sensors: SensorArray) -> NDArray[np.float64]:
        """Return the origin of the multipoles: (3,) m."""
        if self.origin is not None:
            return np.array(self.origin)
        frame = array_frame(sensors)
        centre: NDArray[np.float64] = frame.outside(np.array([[0.0, 0.0, -BELOW_M]]))[0]
        return centre

    def bases(self, sensors: SensorArray, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the inner and the outer basis on these channels, the outer one orthonormal."""
        centre = self.centre(sensors)
        places, axes = sensors.positions[rows], sensors.axes[rows]
        inner = inside_basis(places, axes, centre, self.inner)
        return inner, orthonormal(outside_basis(places, axes, centre, self.outer))

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels.

        Raises
        ------
        ValueError
            If there are fewer channels than multipoles, or a sensor sits at the origin.
        """
        rows = located(sensors, "mag", "ref")
        inner, outer = self.bases(sensors, rows)
        unknowns = inner.shape[1] + outer.shape[1]
        if unknowns > len(rows):
            raise ValueError(
                f"separation of inner order {self.inner} and outer order {self.outer} needs {unknowns} channels "
                f"with a place, got {len(rows)}"
            )
        is_mag = np.array([sensors.kinds[c] == "mag" for c in rows.tolist()])

        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[rows]
            if int(usable.sum()) < unknowns:
                return nothing()
            unmix = damped_inverse(np.hstack([inner[usable], outer[usable]]), self.damping)
            return Operator(
                inputs=rows[usable], outputs=rows[is_mag], left=inner[is_mag], right=unmix[: inner.shape[1]], keep=0.0
            )

        return planned

    def start(self, head: Block) -> Step:
        """Return the running separation."""
        return SpatialStep(self.plan(head.sensors), head)


def damped_inverse(matrix: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    """Return the pseudo-inverse with singular values s → s/(s² + d²), d = damping times the largest."""
    left, size, right = np.linalg.svd(matrix, full_matrices=False)
    inverse = size / (size**2 + (damping * size[0]) ** 2)
    inverse[size < 1e-13 * size[0]] = 0.0
    return np.ascontiguousarray((right.T * inverse) @ left.T)
