"""Arrays that tests of filters share, as science names them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.sensors import Kind, SensorArray

UP = np.array([0.0, 0.0, 1.0])
REFERENCES = np.array([[0.08, 0.08, 0.25], [-0.08, 0.08, 0.25], [0.08, -0.08, 0.30], [-0.08, -0.08, 0.30]])


def array(positions: NDArray[np.float64], axes: NDArray[np.float64], kinds: tuple[Kind, ...] = ()) -> SensorArray:
    return SensorArray(tuple(f"S{c:03d}" for c in range(len(positions))), positions, axes, kinds=kinds)


def grid(side: int, pitch: float, height: float = 0.0) -> NDArray[np.float64]:
    line = (np.arange(side) - (side - 1) / 2) * pitch
    return np.array([(x, y, height) for y in line for x in line])


def triaxial(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.repeat(places, 3, axis=0), np.tile(np.eye(3), (len(places), 1))


def planar(side: int = 6, pitch: float = 0.04) -> SensorArray:
    places = grid(side, pitch)
    return array(places, np.tile(UP, (len(places), 1)))


def planar_triaxial(side: int = 6, pitch: float = 0.04) -> SensorArray:
    return array(*triaxial(grid(side, pitch)))


def two_layers() -> SensorArray:
    places = np.vstack([grid(6, 0.04), grid(6, 0.04, 0.05)])
    return array(places, np.tile(UP, (72, 1)))


def curved(normal_only: bool = False) -> SensorArray:
    """A 6x6 grid bent about y with a radius of 20 cm, each sensor turned with the surface."""
    angle = (np.arange(6) - 2.5) * 0.04 / 0.2
    places, axes = [], []
    for a in angle:
        out = np.array([np.sin(a), 0.0, np.cos(a)])
        for y in (np.arange(6) - 2.5) * 0.04:
            places.append(0.2 * out - 0.2 * UP + np.array([0.0, y, 0.0]))
            axes.append(np.array([[np.cos(a), 0.0, -np.sin(a)], [0.0, 1.0, 0.0], out]))
    if normal_only:
        return array(np.array(places), np.array(axes)[:, 2])
    return array(np.repeat(places, 3, axis=0), np.array(axes).reshape(-1, 3))


def with_references() -> SensorArray:
    """36 Bz and four triaxial references above: the design's adult array."""
    places, axes = triaxial(REFERENCES)
    up = np.tile(UP, (36, 1))
    kinds: tuple[Kind, ...] = ("mag",) * 36 + ("ref",) * 12
    return array(np.vstack([grid(6, 0.04), places]), np.vstack([up, axes]), kinds)


def hearts(sensors: SensorArray, count: int = 400, seed: int = 7) -> NDArray[np.float64]:
    """Return fields of random tangential dipoles, 7 to 13 cm below z = 0: (n_channels, count) T/(A·m)."""
    rng = np.random.default_rng(seed)
    places = rng.uniform([-0.04, -0.05, -0.13], [0.04, 0.05, -0.07], size=(count, 3))
    turn = rng.uniform(0, 2 * np.pi, size=count)
    lead = lead_field(HalfSpace(), places, sensors.positions, sensors.axes)
    return np.cos(turn) * lead[:, :, 0] + np.sin(turn) * lead[:, :, 1]
