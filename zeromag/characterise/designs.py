"""Designs of arrays: `grid:6x6/40` and its like to sensors, and the places a greedy choice would take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.information import Task, information, localisation, misplaced
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, read_array
from zeromag.physics.conductor import lead_field
from zeromag.physics.heart_volume import HeartVolume
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray

DEPTHS = (0.08, 0.10, 0.12)  # m below the array, where a dipole's bound is told
STANDOFF = 0.02  # m, how much farther off the array is tried as well
MOST = 2048  # channels
# a body for sensors all around it: as deep as a chest, 15 mm below a vest of 28 cm, all of the heart before its middle,
# where a dipole would be silent
ROUND = Sphere(centre=(0.0, 0.0, -0.14), radius=0.125)


@dataclass(frozen=True, slots=True)
class Design:
    """What one array could do; every figure follows from its geometry, nothing is measured."""

    name: str
    channels: int
    bits: float  # per sample
    freedom: int  # patterns above the noise
    bits_farther: float  # 20 mm farther off
    bound: tuple[float, ...]  # m, at `DEPTHS`, one sample
    gain: float  # m, what gains 1 % off move a dipole by, 10 cm deep
    shift: float  # m, what places 1 mm off (each coordinate) move it by
    tilt: float  # m, what axes 1° off move it by


def assess(name: str, sensors: SensorArray, task: Task | None = None) -> Design:
    """Return what this array could do."""
    task = task or task_for([sensors])
    known = information(sensors, task)
    away = np.array([0.0, 0.0, 1.0])
    if isinstance(task.conductor, Sphere):
        away = sensors.positions - task.conductor.centre
        away = away / np.linalg.norm(away, axis=1, keepdims=True)
    farther = replace(sensors, positions=sensors.positions + STANDOFF * away)
    return Design(
        name=name,
        channels=len(sensors.of_kind("mag")),
        bits=known.bits,
        freedom=known.freedom,
        bits_farther=information(farther, task).bits,
        bound=tuple(localisation(sensors, depth, task) for depth in DEPTHS),
        gain=misplaced(sensors, 0.10, gain=0.01, task=task),
        shift=misplaced(sensors, 0.10, shift=1e-3, task=task),
        tilt=misplaced(sensors, 0.10, tilt=np.radians(1.0), task=task),
    )


def wraps(sensors: SensorArray) -> bool:
    """Return whether some sensors lie behind the heart, where the half-space would have no end."""
    return bool((sensors.positions[:, 2] < -HeartVolume().farthest).any())


def task_for(arrays: Sequence[SensorArray]) -> Task:
    """Return what arrays are compared by: all below a plane, or about a sphere when one goes round the chest."""
    return Task(conductor=ROUND) if any(map(wraps, arrays)) else Task()


def design(text: str) -> SensorArray:
    """Return the array that `grid:6x6/40`, a generator of the like, or the path of a sensor table names.

    Raises
    ------
    InputError
        If there is no such generator or file, or its numbers make no array.
    """
    kind, colon, rest = text.partition(":")
    count, _, surface = rest.partition("/")
    if kind == "greedy" and ":" in surface and count.isdecimal():
        candidates = design(surface)
        return candidates.pick(greedy(candidates, int(count), task_for([candidates])))
    if colon and kind in GENERATORS:
        numbers = re.fullmatch(r"(\d+)(?:x(\d+))?((?:/\d+(?:\.\d+)?)*)", rest)
        if numbers is not None:
            size = [int(part) for part in numbers.group(1, 2) if part]
            lengths = [float(part) * 1e-3 for part in numbers.group(3).split("/") if part]
            generator = GENERATORS[kind]
            if (len(size), len(lengths)) == generator.takes and min(*size, *lengths, 1) > 0:
                if np.prod(size) * 3 > MOST:
                    raise InputError(f"{text}: at most {MOST} channels can be reckoned with; ask for fewer")
                return generator.make(*size, *lengths)
        raise InputError(f"{text}: {kind} is written {GENERATORS[kind].example}")
    path = Path(text)
    if path.exists():
        return read_array(path)
    raise InputError(
        f"{text} is neither a sensor table nor a design; designs are "
        + ", ".join(generator.example for generator in GENERATORS.values())
    )


def triaxial(array: SensorArray) -> SensorArray:
    """Return the array with x, y and z measured at every place."""
    return SensorArray(
        names=tuple(f"{name}{axis}" for name in array.names for axis in "XYZ"),
        positions=np.repeat(array.positions, 3, axis=0),
        axes=np.tile(np.eye(3), (len(array), 1)),
    )


def _layers(rows: int, columns: int, pitch: float, apart: float) -> SensorArray:
    near = grid(rows, columns, pitch)
    names = tuple(f"{name}{layer}" for layer in "ab" for name in near.names)
    places = np.concatenate([near.positions, near.positions + np.array([0.0, 0.0, apart])])
    return SensorArray(names, places, np.tile(near.axes, (2, 1)))


def _hexagonal(rings: int, pitch: float) -> SensorArray:
    q, r = np.meshgrid(np.arange(-rings, rings + 1), np.arange(-rings, rings + 1))
    inside = np.abs(q + r) <= rings
    q, r = q[inside], r[inside]
    places = pitch * np.stack([q + r / 2, np.sqrt(0.75) * r, np.zeros(len(q))], axis=1)
    return _upright(places)


def _curved(rows: int, columns: int, pitch: float, radius: float) -> SensorArray:
    """Return a grid bent about y around the chest, each sensor turned with the surface; its top at z = 0."""
    flat = grid(rows, columns, pitch)
    angle = flat.positions[:, 0] / radius
    out = np.stack([np.sin(angle), np.zeros(len(angle)), np.cos(angle)], axis=1)
    places = radius * (out - [0.0, 0.0, 1.0]) + flat.positions * [0.0, 1.0, 0.0]
    return SensorArray(flat.names, places, out)


def _vest(rows: int, columns: int, pitch: float, width: float, depth: float) -> SensorArray:
    """Return rings of sensors around the chest, an ellipse of this size, looking outwards; its front at z = 0."""
    turn = np.linspace(-np.pi, np.pi, 3601)
    across, deep = width / 2, depth / 2
    length = np.concatenate([[0.0], np.cumsum(np.hypot(across * np.diff(np.sin(turn)), deep * np.diff(np.cos(turn))))])
    angle = np.interp(length[-1] * (np.arange(columns) + 0.5) / columns, length, turn)
    ring = np.stack([across * np.sin(angle), np.zeros(columns), deep * (np.cos(angle) - 1)], axis=1)
    out = np.stack([np.sin(angle) / across, np.zeros(columns), np.cos(angle) / deep], axis=1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    heights = pitch * (np.arange(rows) - (rows - 1) / 2)
    places = np.tile(ring, (rows, 1)) + np.repeat(heights, columns)[:, None] * [0.0, 1.0, 0.0]
    return SensorArray(tuple(f"S{c + 1:03d}" for c in range(len(places))), places, np.tile(out, (rows, 1)))


def _upright(places: NDArray[np.float64]) -> SensorArray:
    names = tuple(f"S{c + 1:03d}" for c in range(len(places)))
    return SensorArray(names, places, np.tile([0.0, 0.0, 1.0], (len(places), 1)))


def _chosen(count: int, aperture: float) -> SensorArray:
    """Return the places that a greedy choice takes from a square of this side, 10 mm apart at least."""
    side = max(2, round(aperture / 0.01) + 1)
    candidates = grid(side, side, aperture / (side - 1))
    return candidates.pick(greedy(candidates, count))


def greedy(candidates: SensorArray, count: int, task: Task | None = None) -> list[int]:
    """Return the channels that add most information, one after the other, best first.

    Adding a channel adds ½ log2 of its variance given those chosen: the pivots of a Cholesky decomposition of
    noise plus signal covariance.

    Raises
    ------
    InputError
        If there are fewer candidates than are to be chosen.
    """
    if count > len(candidates):
        raise InputError(f"{count} sensors cannot be chosen from {len(candidates)} places; allow a larger surface")
    task = task or Task()
    lead = lead_field(task.conductor, task.heart.points(), candidates.positions, candidates.axes)
    flat = lead.reshape(len(candidates), -1) * (task.moment / np.sqrt(lead.shape[1]) / task.sigma)
    covariance = flat @ flat.T + np.eye(len(candidates))
    left = np.diag(covariance).copy()
    columns = np.zeros((count, len(candidates)))
    chosen: list[int] = []
    for k in range(count):
        best = int(np.argmax(left))
        chosen.append(best)
        columns[k] = (covariance[best] - columns[:k, best] @ columns[:k]) / np.sqrt(left[best])
        left -= columns[k] ** 2
        left[chosen] = -np.inf
    return chosen


@dataclass(frozen=True, slots=True)
class Generator:
    """How a design is written and made: whole numbers first, then lengths in mm."""

    example: str
    takes: tuple[int, int]
    make: Callable[..., SensorArray]


GENERATORS = {
    "grid": Generator("grid:6x6/40", (2, 1), grid),
    "triaxial": Generator("triaxial:6x6/40", (2, 1), lambda *size: triaxial(grid(*size))),
    "layers": Generator("layers:6x6/40/50", (2, 2), _layers),
    "hexagonal": Generator("hexagonal:3/40", (1, 1), _hexagonal),
    "curved": Generator("curved:6x6/40/200", (2, 2), _curved),
    "curved-triaxial": Generator("curved-triaxial:6x6/40/200", (2, 2), lambda *size: triaxial(_curved(*size))),
    "vest": Generator("vest:6x12/40/360/280", (2, 3), _vest),
    "greedy": Generator("greedy:36/240", (1, 1), _chosen),
}
STANDARD = ("grid:3x3/40", "grid:6x6/40", "triaxial:6x6/40", "grid:8x8/30", "grid:10x10/22")
