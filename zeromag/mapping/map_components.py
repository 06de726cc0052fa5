"""The components of the field along the chest, where the sensors feel them: maps of Bx and By beside that of Bz."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import Grid
from zeromag.mapping.gains import moments
from zeromag.mapping.mapper import Mapper
from zeromag.physics.conductor import lead_field
from zeromag.physics.frame import array_frame

SPREAD = 0.2  # of the first singular value of the axes that the third must have: sensors feel all three components


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Bx (to the patient's left) and By (to the head) on the grid of the field map."""

    grid: Grid
    time: F64  # (n_times,) s from R
    bx: F64  # (n_times, ny, nx) T
    by: F64
    bx_sd: F64  # (ny, nx) T, one standard deviation
    by_sd: F64


def components(average: Average, mapper: Mapper) -> Components | None:
    """Return the maps of both components of an averaged beat; None where its good sensors do not feel all three.

    The same minimum norm as for Bz, ŷ = L_g L_sᵀ (L_s L_sᵀ + C)⁻¹ y, with the lead field of Bx or By at the pixels.
    Over a half-space the return currents belong to it: without them both are up to 69 % wrong.
    """
    if mapper.why_not(average.sensors, average.good):
        return None
    operator = mapper.operator_for(average)
    sensors = average.sensors.pick(np.flatnonzero(operator.good))
    frame = mapper.plane or array_frame(average.sensors)
    axes = frame.turned(sensors.axes)
    sizes = np.linalg.svd(axes, compute_uv=False)
    if sizes[2] < SPREAD * sizes[0]:
        return None
    sources, n = mapper.volume.points(), moments(mapper.conductor)
    seen = lead_field(mapper.conductor, sources, frame.inside(sensors.positions), axes)[:, :, :n].reshape(len(axes), -1)
    across, up = np.meshgrid(operator.grid.x, operator.grid.y)
    pixels = np.stack([across.ravel(), up.ravel(), np.zeros(across.size)], axis=1)
    power = float(np.mean(average.wave[:, average.good] ** 2, axis=1).max())
    between = seen @ seen.T
    strength = (power or mapper.signal**2) / float(np.mean(np.diag(between)))
    every = max(1, round(mapper.step / (average.time[1] - average.time[0])))
    rows = np.arange(average.at(0.0) % every, len(average.time), every)
    values, deviations = [], []
    for axis in np.eye(3)[:2]:
        gain = lead_field(mapper.conductor, sources, pixels, np.tile(axis, (len(pixels), 1)))[:, :, :n]
        flat = gain.reshape(len(pixels), -1)
        onto = strength * (flat @ seen.T)
        spread = strength * np.sum(flat**2, axis=1) - np.sum((onto @ operator.inverse) * onto, axis=1)
        deviations.append(np.sqrt(np.maximum(spread, 0.0)).reshape(across.shape))
        weights = np.ascontiguousarray((onto @ operator.inverse).T)
        values.append(replace(operator, value=weights, moments=None).bz(average.wave[rows]))
    return Components(operator.grid, average.time[rows], *values, *deviations)
