"""Where a map is drawn: a square of pixels over the array, seen only near good sensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.field_map import Grid
from zeromag.physics.frame import Frame
from zeromag.sensors import SensorArray

FLAT = 0.35  # depth over width of an array beyond which it is no chest array
REACH = 1.05  # pitches from a good sensor beyond which nothing is drawn: one missing sensor is bridged, two are not


def map_grid(sensors: SensorArray, frame: Frame, good: NDArray[np.bool_], pixels: int) -> Grid:
    """Return the grid in the array's frame; the pixels depend on the array only, the mask on the good channels.

    Raises
    ------
    ValueError
        If the array is no plane over a chest, or fewer than four good magnetometers have a place.
    """
    rows = sensors.of_kind("mag")
    rows = rows[sensors.located()[rows]]
    places = frame.inside(sensors.positions[rows])
    width = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    if width[2] > FLAT * width[1]:
        raise ValueError(
            f"a map needs an array that lies over the chest; this one is {width[2] / width[1]:.0%} as deep as wide"
        )
    usable = places[good[rows]][:, :2]
    if len(usable) < 4:
        raise ValueError(f"a map needs 4 good magnetometers with positions, got {len(usable)}")
    pitch = _pitch(places[:, :2])
    low, high = places[:, :2].min(axis=0) - pitch / 2, places[:, :2].max(axis=0) + pitch / 2
    middle, span = (low + high) / 2, float((high - low).max())
    steps = (np.arange(pixels) + 0.5) / pixels * span - span / 2
    x, y = middle[0] + steps, middle[1] + steps
    points = np.stack(np.meshgrid(x, y), axis=-1)  # [y, x]
    return Grid(x=x, y=y, mask=_seen(points, usable, pitch))


def _pitch(places: NDArray[np.float64]) -> float:
    """Return the usual distance to the nearest sensor elsewhere: (several axes at one place count once)."""
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    apart[apart < 1e-3] = np.inf
    return float(np.median(apart.min(axis=1)))


def _seen(points: NDArray[np.float64], usable: NDArray[np.float64], pitch: float) -> NDArray[np.bool_]:
    """Return which pixels lie within half a pitch of the good sensors' hull and within reach of one of them."""
    from scipy.spatial import ConvexHull, QhullError

    near: NDArray[np.bool_] = (
        np.linalg.norm(points[:, :, None] - usable[None, None], axis=-1).min(axis=-1) <= REACH * pitch
    )
    try:
        edges = ConvexHull(usable).equations  # outward normal and offset of each edge
    except QhullError as error:
        raise ValueError("a map needs good magnetometers that do not all stand in one line") from error
    beyond = (points @ edges[:, :2].T + edges[:, 2]).max(axis=-1)
    return near & (beyond <= pitch / 2)
