"""Crosstalk: what a sensor reads of its neighbours' own coils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive
from zeromag.sensors import SensorArray

FIRST_ORDER = 0.003  # of a coupling: what taking both sensors for first-order ones is wrong by, near their bandwidth


@dataclass(frozen=True, slots=True, eq=False)
class Crosstalk:
    """K = G (I + C) G⁻¹ with 1 on its diagonal: readings are K times what single sensors would read."""

    mixing: NDArray[np.float64]  # (n_channels, n_channels)
    error: NDArray[np.float64]  # (n_channels, n_channels)
    driven: NDArray[np.bool_]  # (n_channels,) whose own coil played

    def undo(self, readings: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return tones (n_tones, n_channels) without what neighbours added; NaN columns are left out."""
        whole = np.isfinite(readings).all(axis=0)
        clean = readings.copy()
        part = self.mixing[np.ix_(whole, whole)]
        clean[:, whole] = np.linalg.solve(part, readings[:, whole].T).T
        return clean

    def pure(self, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return C for known gains (n_channels,): what one sensor adds to another, gains aside."""
        each: NDArray[np.float64] = self.mixing * gain / gain[:, None] - np.eye(len(gain))
        return each


def crosstalk(
    tones: Tones, drives: Sequence[Drive], sensors: SensorArray, slowness: NDArray[np.float64] | None = None
) -> Crosstalk | None:
    """Return the matrix from onboard coils, one tone each; None when none played.

    K_ij = A_i / A_j at the tone of sensor j, in phase. `slowness` (n_channels,) s: first-order time constants,
    corrected for when known.
    """
    at = {name: c for c, name in enumerate(sensors.names)}
    heard = [(k, at[drive.sensor]) for k, drive in enumerate(drives) if drive.kind == "onboard" and drive.sensor in at]
    if not heard:
        return None
    count = len(sensors)
    lag = np.zeros(count) if slowness is None else np.nan_to_num(slowness)
    mixing, error = np.eye(count), np.zeros((count, count))
    driven = np.zeros(count, dtype=np.bool_)
    for k, j in heard:
        undone = 1 + 2j * np.pi * tones.frequency[k] * lag
        own = tones.amplitude[k] * undone
        if not np.isfinite(own[j]) or np.abs(own[j]) < 100 * tones.error[k, j]:
            continue
        ratio = own / own[j]
        mixing[:, j] = np.where(np.isfinite(ratio), ratio.real, 0.0)
        noise = np.nan_to_num(tones.error[k] * np.abs(undone) / np.abs(own[j]))
        # crosstalk is in phase: what is not, beyond noise, tells how wrong the correction for the sensors' speed is
        late = np.nan_to_num(np.maximum(np.abs(ratio.imag) - 2 * noise, 0.0))
        error[:, j] = np.sqrt(noise**2 + (FIRST_ORDER * mixing[:, j]) ** 2 + late**2)
        mixing[j, j], error[j, j] = 1.0, 0.0
        driven[j] = True
    return Crosstalk(mixing, error, driven) if driven.any() else None
