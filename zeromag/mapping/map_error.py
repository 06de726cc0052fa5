"""How wrong the map of an array is: hearts whose field is known everywhere, read by its sensors and mapped."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.gains import bz_with_slopes
from zeromag.mapping.mapper import Mapper
from zeromag.physics.conductor import lead_field
from zeromag.physics.frame import array_frame
from zeromag.sensors import SensorArray

MOMENT = 10e-6  # A·m, an adult's heart at R
HEARTS = 100
WIDE, NEAR, FAR = 0.04, 0.08, 0.12  # m: to either side of the middle, and below the sensors


def map_error(sensors: SensorArray, noise: float, *, seed: int = 0) -> float:
    """Return the relative error of the map of one dipole in the heart volume, median over 100 of them.

    Root mean square over the pixels that the array sees, over that of the true field; `noise` T rms on every
    channel. NaN where the array gives no map.
    """
    mapper = Mapper()
    if mapper.why_not(sensors):
        return float("nan")
    random = np.random.default_rng(seed)
    seen = np.zeros(len(sensors), dtype=np.bool_)
    seen[sensors.of_kind("mag")] = True
    operator = mapper.operator(sensors, seen & sensors.located() & sensors.usable(), np.full(len(sensors), noise))
    frame, grid = array_frame(sensors), operator.grid
    across, up = np.meshgrid(grid.x, grid.y)
    pixels = np.stack([across.ravel(), up.ravel(), np.zeros(across.size)], axis=1)
    errors = []
    for _ in range(HEARTS):
        place = np.array([*random.uniform(-WIDE, WIDE, 2), -random.uniform(NEAR, FAR)])
        turn = random.uniform(0, 2 * np.pi)
        moment = MOMENT * np.array([np.cos(turn), np.sin(turn), 0.0])
        lead = lead_field(mapper.conductor, place[None], frame.inside(sensors.positions), frame.turned(sensors.axes))
        read: F64 = lead[:, 0] @ moment + random.normal(scale=noise, size=len(sensors))
        known, _, _ = bz_with_slopes(mapper.conductor, place[None], pixels)
        field = (known @ moment[: known.shape[1]]).reshape(across.shape)[grid.mask]
        wrong = operator(np.zeros(1), read[None]).bz[0][grid.mask] - field
        errors.append(float(np.linalg.norm(wrong) / np.linalg.norm(field)))
    return float(np.median(errors))
