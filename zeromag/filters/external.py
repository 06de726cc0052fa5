"""The field of sources far outside the array: gradients of solid harmonics, seen along the sensors' axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray

ORDERS = (1, 2, 3)
TOLERANCE = 1e-6  # a direction weaker than this beside the strongest is one that the array cannot see


def external_basis(positions: NDArray[np.float64], axes: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return what sensors read of each external field up to `order`: (n_channels, order·(order + 2)).

    Order 1 are the three uniform fields, order 2 adds five gradients, order 3 seven curvatures (Taulu & Kajola
    2005; Tierney et al. 2021). Positions are taken about their middle and scaled by the array's radius, so that
    all columns are of like size.

    Raises
    ------
    ValueError
        If the order is not 1, 2 or 3.
    """
    if order not in ORDERS:
        raise ValueError(f"the external field is known to order 1, 2 or 3, got {order}")
    about = np.asarray(positions) - np.mean(positions, axis=0)
    radius = float(np.sqrt((about**2).sum(axis=1).max(initial=0.0)))
    x, y, z = (about / radius if radius > 0 else about).T
    none, one = np.zeros_like(x), np.ones_like(x)
    fields = [(one, none, none), (none, one, none), (none, none, one)]
    if order >= 2:  # of xy, yz, zx, x²-y², 2z²-x²-y²
        fields += [(y, x, none), (none, z, y), (z, none, x), (x, -y, none), (-x, -y, 2 * z)]
    if order >= 3:  # of xyz, 3x²y-y³, x³-3xy², y(4z²-x²-y²), x(4z²-x²-y²), z(2z²-3x²-3y²), z(x²-y²)
        fields += [
            (y * z, x * z, x * y),
            (2 * x * y, x * x - y * y, none),
            (x * x - y * y, -2 * x * y, none),
            (-2 * x * y, 4 * z * z - x * x - 3 * y * y, 8 * y * z),
            (4 * z * z - 3 * x * x - y * y, -2 * x * y, 8 * x * z),
            (-2 * x * z, -2 * y * z, 2 * z * z - x * x - y * y),
            (2 * x * z, -2 * y * z, x * x - y * y),
        ]
    seen: NDArray[np.float64] = np.einsum("fkc,ck->cf", np.array(fields), np.asarray(axes))
    return seen


def orthonormal(basis: NDArray[np.float64], tolerance: float = TOLERANCE) -> NDArray[np.float64]:
    """Return an orthonormal basis of what the columns span: (n_channels, rank).

    Only columns above the tolerance are normalised first: on a flat array some are pure rounding, and blown up
    they would take arbitrary directions out of the heart.
    """
    size = np.linalg.norm(basis, axis=0)
    if not np.any(size > 0):
        return np.zeros((basis.shape[0], 0))
    kept = basis[:, size > tolerance * size.max()]
    left, strength, _ = np.linalg.svd(kept / np.linalg.norm(kept, axis=0), full_matrices=False)
    return np.ascontiguousarray(left[:, strength > tolerance * strength[0]])


def external_rank(sensors: SensorArray, order: int) -> int:
    """Return how many external fields up to `order` the located `mag` channels can tell apart."""
    rows = sensors.of_kind("mag")
    rows = rows[sensors.located()[rows]]
    if len(rows) == 0:
        return 0
    return int(orthonormal(external_basis(sensors.positions[rows], sensors.axes[rows], order)).shape[1])
