"""How far the field that stands still turns each sensor's axis: zero-field magnetometers look aside in a field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.residual_field import ResidualField
from zeromag.physics.opm import HERTZ_PER_TESLA
from zeromag.physics.outside import outside_basis
from zeromag.sensors import SensorArray


def turned_by_field(
    seen: ResidualField, sensors: SensorArray, bandwidth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the angle and its standard error, rad: (n_channels,) each; NaN where the field or the sensor is not known.

    A field B across the axis of an open-loop zero-field magnetometer of `bandwidth` f (Hz) turns it by B/ΔB to
    first order, ΔB = f/γ with γ = 7 Hz/nT (Borna 2022; 2.97° for 1 nT at 135 Hz). A sensor whose feedback or
    coils null the field is turned by what is left, so this is what happens without them.
    """
    nothing = np.full(len(sensors), np.nan)
    if not np.isfinite(seen.strengths[:3]).all():
        return nothing, nothing
    strengths = np.nan_to_num(seen.strengths)
    field = np.stack(
        [outside_basis(replace(sensors, axes=np.tile(way, (len(sensors), 1)))) @ strengths for way in np.eye(3)], axis=1
    )
    across = field - (field * sensors.axes).sum(axis=1, keepdims=True) * sensors.axes
    width = np.where(np.isfinite(bandwidth), bandwidth, np.nan) / HERTZ_PER_TESLA
    return np.linalg.norm(across, axis=1) / width, np.linalg.norm(seen.errors[:3]) / width
