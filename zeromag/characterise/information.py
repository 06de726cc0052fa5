"""What an array can know of a heart: total information, degrees of freedom, how sharply a dipole is placed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

STEP = 1e-4  # m, for the slope of a lead field


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of an array: which hearts, in which body, below how much noise."""

    heart: HeartVolume = field(default_factory=lambda: HeartVolume(pitch=0.01))
    conductor: Conductor = field(default_factory=HalfSpace)
    moment: float = 10e-6  # A·m, rms of each component of the heart's whole activity, spread evenly over its volume
    noise: float = 15e-15  # T/√Hz of one channel
    bandwidth: float = 100.0  # Hz

    @property
    def sigma(self) -> float:
        """Noise of one sample, T rms."""
        return float(self.noise * np.sqrt(self.bandwidth))


@dataclass(frozen=True, slots=True)
class Information:
    """Bits per sample of the array, and how many independent patterns stand above its noise."""

    bits: float
    freedom: int


def information(sensors: SensorArray, task: Task | None = None) -> Information:
    """Return total information and effective degrees of freedom of the located channels.

    I = ½ Σ log2(1 + λ_k), λ the eigenvalues of C^-½ L R Lᵀ C^-½ (Kemppainen & Ilmoniemi 1989), R the
    covariance of a moment spread evenly over the dipoles of the heart volume, each component independent;
    freedom = #{λ_k > 1}. Times 2·bandwidth: bit/s.
    """
    task = task or Task()
    array = _located(sensors)
    lead = lead_field(task.conductor, task.heart.points(), array.positions, array.axes)
    flat = lead.reshape(len(array), -1)
    share = task.moment / np.sqrt(lead.shape[1])
    ratio = np.linalg.svd(flat * (share / task.sigma), compute_uv=False) ** 2
    return Information(float(0.5 * np.sum(np.log2(1 + ratio))), int(np.sum(ratio > 1)))


def localisation(
    sensors: SensorArray, depth: float, task: Task | None = None, *, x: float = 0.0, y: float = 0.0
) -> float:
    """Return the Cramér-Rao bound of a dipole's place from one sample: rms over three coordinates, m.

    F = (1/σ²) Dᵀ P⊥ D with D = ∂L/∂r q and P⊥ across the lead field L (Mosher 1993), the mean bound over a
    tangential moment's directions. `depth` is below the middle of the array, along -z.
    """
    task = task or Task(noise=15e-15)
    array = _located(sensors)
    place = array.positions.mean(axis=0) * [1, 1, 0] + [x, y, -depth]
    lead = _lead(task.conductor, place, array)
    slopes = np.stack(
        [
            (_lead(task.conductor, place + way, array) - _lead(task.conductor, place - way, array)) / (2 * STEP)
            for way in STEP * np.eye(3)
        ],
        axis=1,
    )  # (channels, 3 ways, moments)
    across = np.eye(len(array)) - lead @ np.linalg.pinv(lead, rcond=1e-9)
    bounds = []
    for turn in np.arange(8) * np.pi / 8:
        moment = task.moment * np.array([np.cos(turn), np.sin(turn), 0.0])
        way = slopes @ moment
        bounds.append(np.trace(np.linalg.inv(way.T @ across @ way / task.sigma**2)))
    return float(np.sqrt(np.mean(bounds)))


def misplaced(
    sensors: SensorArray,
    depth: float,
    *,
    gain: float = 0.0,
    shift: float = 0.0,
    tilt: float = 0.0,
    task: Task | None = None,
    draws: int = 100,
    seed: int = 0,
) -> float:
    """Return how far calibration errors move a dipole fit: rms over draws and directions, m.

    Standard deviations: `gain` relative, `shift` m per coordinate, `tilt` rad rms. First order: the error
    field is carried through the fit of place and moment.
    """
    task = task or Task()
    array = _located(sensors)
    place = array.positions.mean(axis=0) * [1, 1, 0] + [0, 0, -depth]
    lead = _lead(task.conductor, place, array)
    slopes = np.stack(
        [
            (_lead(task.conductor, place + way, array) - _lead(task.conductor, place - way, array)) / (2 * STEP)
            for way in STEP * np.eye(3)
        ],
        axis=1,
    )
    random = np.random.default_rng(seed)
    squares = []
    for k in range(draws):
        turn = np.pi * k / draws
        moment = task.moment * np.array([np.cos(turn), np.sin(turn), 0.0])
        lean = tilt / np.sqrt(2) * random.standard_normal(array.axes.shape)
        lean -= (lean * array.axes).sum(axis=1, keepdims=True) * array.axes
        moved = array.positions + shift * random.standard_normal(array.positions.shape)
        real = replace(array, positions=moved, axes=array.axes + lean)
        error = (1 + gain * random.standard_normal(len(array))) * (_lead(task.conductor, place, real) @ moment)
        model = np.concatenate([slopes @ moment, lead * task.moment], axis=1)
        scale = np.linalg.norm(model, axis=0)
        scale[scale < 1e-9 * scale.max()] = np.inf  # the silent moment
        fit = np.linalg.pinv(model / scale, rcond=1e-6) @ (error - lead @ moment) / scale
        squares.append(float(fit[:3] @ fit[:3]))
    return float(np.sqrt(np.mean(squares)))


def _lead(conductor: Conductor, place: NDArray[np.float64], array: SensorArray) -> NDArray[np.float64]:
    """Return the tangential and normal lead field of one place: (n_channels, 3) T/(A·m)."""
    return lead_field(conductor, place[None], array.positions, array.axes)[:, 0]


def _located(sensors: SensorArray) -> SensorArray:
    """Return the heart channels that have a place.

    Raises
    ------
    ValueError
        If there is none.
    """
    rows = sensors.of_kind("mag")
    rows = rows[sensors.located()[rows]]
    if not len(rows):
        raise ValueError("an array's information needs magnetometers with places, got none")
    return sensors.pick(rows)
