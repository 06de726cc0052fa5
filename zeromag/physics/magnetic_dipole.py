"""The field of a magnetic dipole: a small coil, a motor, a lift seen from metres away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import MU0_4PI


def magnetic_dipole(
    moment: NDArray[np.float64], position: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return B of a magnetic dipole in air: (..., n_points, 3) T.

    B = µ0/4π (3 a (a·m)/a⁵ - m/a³), a = r - r_m; a body of its size or larger than the distance is no dipole.

    Parameters
    ----------
    moment : (..., 3) A·m²
    position : (..., 3) m, one per moment (a dipole that moves has one per sample)
    points : (n_points, 3) m

    Examples
    --------
    On the axis of 1 A·m², a metre away, µ0/2π = 200 nT:

    >>> field = magnetic_dipole(np.array([0.0, 0.0, 1.0]), np.zeros(3), np.array([[0.0, 0.0, 1.0]]))
    >>> (1e9 * field).round(6).tolist()
    [[0.0, 0.0, 200.0]]
    """
    away = np.asarray(points) - np.asarray(position)[..., None, :]
    moment = np.asarray(moment)[..., None, :]
    squared = np.sum(away * away, axis=-1, keepdims=True)
    along = np.sum(away * moment, axis=-1, keepdims=True)
    field: NDArray[np.float64] = MU0_4PI * (3 * along * away / squared - moment) / squared**1.5
    return field
