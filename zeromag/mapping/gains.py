"""What a dipole gives at a place: Bz and its slopes, in closed form for the half-space."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64
from zeromag.physics.conductor import MU0_4PI, Conductor
from zeromag.physics.halfspace import HalfSpace

STEP = 1e-3  # m, of the central difference where no closed form is known
CHUNK = 512  # points at once, so that the memory stays small


def moments(conductor: Conductor) -> int:
    """Return how many moment components make a field: 2 over a half-space (x and y), else 3."""
    return 2 if isinstance(conductor, HalfSpace) else 3


def bz(conductor: Conductor, sources: F64, points: F64) -> F64:
    """Return Bz of unit dipoles: (n_points, n_sources * moments) T/(A·m)."""
    if isinstance(conductor, HalfSpace):
        return _closed(sources, points)[0]
    rows = [conductor.field(sources, part)[:, :, 2, :] for part in _chunks(points)]
    return np.concatenate(rows).reshape(len(points), -1)


def bz_with_slopes(conductor: Conductor, sources: F64, points: F64) -> tuple[F64, F64, F64]:
    """Return Bz, ∂Bz/∂x and ∂Bz/∂y of unit dipoles: each (n_points, n_sources * moments)."""
    if isinstance(conductor, HalfSpace):
        return _closed(sources, points)
    along = np.array([STEP, 0.0, 0.0]), np.array([0.0, STEP, 0.0])
    dx, dy = ((bz(conductor, sources, points + by) - bz(conductor, sources, points - by)) / (2 * STEP) for by in along)
    return bz(conductor, sources, points), dx, dy


def _closed(sources: F64, points: F64) -> tuple[F64, F64, F64]:
    """Bz = µ0/4π (Qx ay − Qy ax)/a³, the same over a half-space as in infinite space (Sarvas 1987)."""
    away = points[:, None, :] - sources[None, :, :]
    ax, ay = away[..., 0], away[..., 1]
    square = np.sum(away**2, axis=-1)
    cube = MU0_4PI * square**-1.5
    fifth = 3.0 * cube / square
    value = np.stack([ay * cube, -ax * cube], axis=-1)
    dx = np.stack([-ay * ax * fifth, -cube + ax * ax * fifth], axis=-1)
    dy = np.stack([cube - ay * ay * fifth, ax * ay * fifth], axis=-1)
    n = len(points)
    return value.reshape(n, -1), dx.reshape(n, -1), dy.reshape(n, -1)


def _chunks(points: F64) -> list[F64]:
    return [points[k : k + CHUNK] for k in range(0, len(points), CHUNK)]
