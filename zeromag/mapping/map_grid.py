"""The grid a map is drawn on, and which of its pixels the array sees."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.field_map import Grid

FAR = 1.05  # pitches from the nearest good sensor at which a pixel inside the array is no longer seen


def pitch(places: F64) -> float:
    """Return the typical distance to the nearest other sensor (those at one spot apart): m."""
    squares = np.zeros((len(places), len(places)))
    for along in places.T:
        squares += (along[:, None] - along) ** 2
    apart = np.sqrt(squares)
    apart[apart < 1e-3] = np.inf
    return float(np.median(apart.min(axis=1)))


def map_grid(all_places: F64, good_places: F64, pixels: int, reach: float = 0.0) -> Grid:
    """Return a square grid over the aperture and half a pitch, seen within half a pitch of the good sensors' hull.

    `all_places` (n, 2) m set the grid, so that it stays when a sensor turns bad; `good_places` set the mask. A
    `reach` above 0 sets the grid instead: that many metres to each side of the origin.
    """
    gap = pitch(all_places)
    low, high = all_places.min(axis=0) - gap / 2, all_places.max(axis=0) + gap / 2
    half = float((high - low).max()) / 2
    middle = (low + high) / 2
    if reach > 0:
        half, middle = reach, np.zeros(2)
    x = np.linspace(middle[0] - half, middle[0] + half, pixels)
    y = np.linspace(middle[1] - half, middle[1] + half, pixels)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    seen = _outside_by(points, good_places) <= gap / 2 + 1e-9
    across = (x[:, None] - good_places[:, 0]) ** 2
    nearest = np.sqrt([(across + up).min(axis=1) for up in (y[:, None] - good_places[:, 1]) ** 2])  # row by row
    mask = seen.reshape(pixels, pixels) & (nearest <= FAR * gap)
    return Grid(x=x, y=y, mask=mask)


def _outside_by(points: F64, places: F64) -> F64:
    """Return how far points lie outside the hull of places, 0 inside: (n_points,) m."""
    from scipy.spatial import ConvexHull

    hull = places[ConvexHull(places).vertices]  # counter-clockwise
    edges = np.roll(hull, -1, axis=0) - hull
    away = points[:, None, :] - hull[None, :, :]
    inside: BOOL = np.all(edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0] >= 0, axis=1)
    along = np.clip(np.sum(away * edges, axis=-1) / np.sum(edges**2, axis=-1), 0.0, 1.0)
    distance = np.linalg.norm(away - along[..., None] * edges, axis=-1).min(axis=1)
    return np.where(inside, 0.0, distance)
