"""A conductor turns a current dipole into the magnetic field outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MU0_4PI = 1e-7  # T·m/A, µ0/4π


class Conductor(Protocol):
    """A body that currents flow in; `field` is linear in the dipole moment. Hashable, so that fields can be kept."""

    def __hash__(self) -> int:
        """Return the same for bodies that are the same."""
        ...

    @property
    def silent(self) -> int:
        """How many of a dipole's three components make no field outside: 0, or 1 (normal or radial)."""
        ...

    def field(self, sources: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return T/(A·m) of unit dipoles along x, y, z: (n_points, n_sources, 3 field, 3 moment)."""
        ...


@dataclass(frozen=True, slots=True)
class Infinite:
    """A conductor without end: the primary current alone makes a field.

    B = µ0/4π · Q×a / a³, a = r - r_Q. Right for the component across a flat or round surface, and for
    nothing else: outside a body the others come from the return currents as well.
    """

    @property
    def silent(self) -> int:
        """All three components of a dipole make a field."""
        return 0

    def field(self, sources: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return T/(A·m) of unit dipoles along x, y, z: (n_points, n_sources, 3 field, 3 moment)."""
        away = np.asarray(points)[:, None] - np.asarray(sources)
        turned = np.cross(np.eye(3), away[..., None, :]).swapaxes(-1, -2)  # column j: e_j × a
        out: NDArray[np.float64] = MU0_4PI * turned / (np.linalg.norm(away, axis=-1) ** 3)[..., None, None]
        return out


def lead_field(
    conductor: Conductor,
    sources: NDArray[np.float64],
    positions: NDArray[np.float64],
    axes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what point sensors read per dipole moment: (n_channels, n_sources, 3) T/(A·m).

    `sources` (n_sources, 3) m, `positions` (n_channels, 3) m, `axes` (n_channels, 3) unit vectors.
    """
    result: NDArray[np.float64] = np.einsum("cf,csfm->csm", axes, conductor.field(sources, positions))
    return result
