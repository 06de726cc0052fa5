"""Crosstalk: what a sensor reads of its neighbours' own coils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True, eq=False)
class Crosstalk:
    """K = G (I + C) G⁻¹ with 1 on its diagonal: readings are K times what single sensors would read."""

    mixing: NDArray[np.float64]  # (n_channels, n_channels)
    error: NDArray[np.float64]  # (n_channels, n_channels)
    driven: NDArray[np.bool_]  # (n_channels,) whose own coil played

    def undo(
        self, readings: NDArray[np.complex128], follow: NDArray[np.complex128] | None = None
    ) -> NDArray[np.complex128]:
        """Return tones (n_tones, n_channels) without what neighbours added; NaN columns are left out.

        `follow` is how each sensor follows each tone, which it does to what it reads of its neighbours as well.
        """
        whole = np.isfinite(readings).all(axis=0)
        clean, late = readings.copy(), np.ones(readings.shape) if follow is None else follow
        part = self.mixing[np.ix_(whole, whole)]
        clean[:, whole] = late[:, whole] * np.linalg.solve(part, (readings / late)[:, whole].T).T
        return clean

    def pure(self, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return C for known gains (n_channels,): what one sensor adds to another, gains aside."""
        each: NDArray[np.float64] = self.mixing * gain / gain[:, None] - np.eye(len(gain))
        return each


def crosstalk(
    tones: Tones, drives: Sequence[Drive], sensors: SensorArray, follow: NDArray[np.complex128] | None = None
) -> Crosstalk | None:
    """Return the matrix from onboard coils, one tone each; None when none played.

    K_ij = A_i / A_j at the tone of sensor j, in phase. `follow` (n_tones, n_channels) is how each sensor follows
    each tone, undone where it is known.
    """
    at = {name: c for c, name in enumerate(sensors.names)}
    heard = [(k, at[drive.sensor]) for k, drive in enumerate(drives) if drive.kind == "onboard" and drive.sensor in at]
    if not heard:
        return None
    count = len(sensors)
    late = np.ones(tones.amplitude.shape) if follow is None else follow
    mixing, error = np.eye(count), np.zeros((count, count))
    driven = np.zeros(count, dtype=np.bool_)
    for k, j in heard:
        own = tones.amplitude[k] / late[k]
        if not np.isfinite(own[j]) or np.abs(own[j]) < 100 * tones.error[k, j]:
            continue
        ratio = own / own[j]
        mixing[:, j] = np.where(np.isfinite(ratio), ratio.real, 0.0)
        noise = np.nan_to_num(tones.error[k] / np.abs(late[k]) / np.abs(own[j]))
        # crosstalk is in phase: what is not, beyond noise, tells how wrong the correction for the sensors' speed is
        aside = np.nan_to_num(np.where(np.abs(ratio.imag) > 3 * noise, ratio.imag, 0.0))
        error[:, j] = np.hypot(noise, aside)
        mixing[j, j], error[j, j] = 1.0, 0.0
        driven[j] = True
    return Crosstalk(mixing, error, driven) if driven.any() else None
