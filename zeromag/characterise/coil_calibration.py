"""Gain, axis and place of every sensor from coils whose places and strengths are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.measured import widened
from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive, fields_at
from zeromag.sensors import SensorArray

FEWEST = 6  # coils: seven unknowns against two numbers a coil, and something left over to judge by
ROOM = 0.05  # m, how far a sensor may stand from its drawing
SPEED = 1e-3  # s, the scale of time constants


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The sensors as they are; NaN where the coils told nothing."""

    gain: NDArray[np.float64]  # (n_channels,) reading over field
    gain_error: NDArray[np.float64]
    axes: NDArray[np.float64]  # (n_channels, 3) unit vectors
    axis_error: NDArray[np.float64]  # (n_channels,) rad, both directions together
    positions: NDArray[np.float64]  # (n_channels, 3) m
    position_error: NDArray[np.float64]  # (n_channels,) m, three coordinates together
    slowness: NDArray[np.float64]  # (n_channels,) s, first-order time constant
    slowness_error: NDArray[np.float64]
    misfit: NDArray[np.float64]  # (n_channels,) rms of what is left over, relative to the signal
    moved_error: NDArray[np.float64]  # (n_channels,) m, along the way from the drawn place
    turned_error: NDArray[np.float64]  # (n_channels,) rad, along the turn from the drawn axis

    def known(self) -> NDArray[np.bool_]:
        """Return the channels that were calibrated."""
        found: NDArray[np.bool_] = np.isfinite(self.gain)
        return found


def calibrate(
    amplitude: NDArray[np.complex128],
    tones: Tones,
    drives: Sequence[Drive],
    sensors: SensorArray,
    doubt: NDArray[np.float64] | None = None,
) -> Calibration | None:
    """Return gains, axes and places from the `loop` coils; None with fewer than six, or none to tell.

    Reading of a coil of field B_k(r): A_k = g n·B_k(r) e^{iφ_k} / (1 + 2πi f_k τ). A linear fit of g n at the
    drawn place is the start, Levenberg-Marquardt on g n, r and τ does the rest. Standard errors from the
    Jacobian, widened where more is left over than noise. `amplitude` are the tones to use: those measured, or
    rid of crosstalk; `doubt` (n_channels, n_channels) is the standard error of what was taken for a sensor's share
    of each neighbour. That error is the same in all tones, so it leaves nothing over and must be carried through.
    """
    rows = [k for k, drive in enumerate(drives) if drive.kind == "loop"]
    if len(rows) < FEWEST:
        return None
    coils = [drives[k] for k in rows]
    turn = np.exp(-1j * np.array([coil.phase for coil in coils]))
    found = np.full((len(sensors), 15), np.nan)
    for c in np.flatnonzero(sensors.located()).tolist():
        seen, error = amplitude[rows, c] * turn, tones.error[rows, c]
        if np.isfinite(seen).all() and (error > 0).all():
            shared = np.zeros((len(rows), 0), dtype=np.complex128)
            if doubt is not None:
                shared = np.nan_to_num(amplitude[rows] * turn[:, None]) * doubt[c]
            found[c] = _fit(seen, error, shared, tones.frequency[rows], coils, sensors.positions[c], sensors.axes[c])
    if not np.isfinite(found[:, 0]).any():
        return None
    return Calibration(
        gain=found[:, 0], gain_error=found[:, 1], axes=found[:, 2:5], axis_error=found[:, 5], positions=found[:, 6:9],
        position_error=found[:, 9], slowness=found[:, 10], slowness_error=found[:, 11], misfit=found[:, 12],
        moved_error=found[:, 13], turned_error=found[:, 14],
    )  # fmt: skip


def _fit(
    seen: NDArray[np.complex128],
    error: NDArray[np.float64],
    shared: NDArray[np.complex128],  # (n_coils, n_neighbours) errors, each neighbour's the same in all coils
    frequency: NDArray[np.float64],
    coils: list[Drive],
    place: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return one channel's row of `Calibration`, NaN where the fit went astray."""
    from scipy.optimize import least_squares

    # what scatters less than a tenth of the typical noise was lucky, not exact
    sigma = np.maximum(error, 0.5 * np.median(error))
    start = np.linalg.lstsq(fields_at(coils, place) / sigma[:, None], seen.real / sigma, rcond=None)[0]
    scale = max(float(np.linalg.norm(start)), 1e-3)

    def rest(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        read = fields_at(coils, place + ROOM * theta[3:6]) @ (scale * theta[:3])
        model = read / (1 + 2j * np.pi * frequency * SPEED * theta[6])
        apart = (seen - model) / sigma
        return np.concatenate([apart.real, apart.imag])

    nothing = np.full(15, np.nan)
    begin = np.concatenate([start / scale, np.zeros(4)])
    try:
        fit = least_squares(rest, begin, method="lm", xtol=1e-12, ftol=1e-12)
    except (ValueError, FloatingPointError, ZeroDivisionError):
        return nothing
    theta = fit.x
    if not fit.success or np.linalg.norm(theta[3:6]) > 1:
        return nothing
    inverse = np.linalg.pinv(np.asarray(fit.jac, dtype=np.float64))
    common = inverse @ (np.concatenate([shared.real, shared.imag]) / np.tile(sigma, 2)[:, None])
    covariance = widened(2 * float(fit.cost), 2 * len(seen) - 7) * inverse @ inverse.T + common @ common.T
    vector = scale * theta[:3]
    size = float(np.linalg.norm(vector))
    way = vector / size
    strength = scale**2 * covariance[:3, :3]
    along = float(way @ strength @ way)
    sign = -1.0 if way @ axis < 0 else 1.0
    moved = _along(theta[3:6], covariance[3:6, 3:6])
    turned = _along(sign * way - axis - ((sign * way - axis) @ way) * way, strength / size**2)
    return np.array([
        sign * size, np.sqrt(along), *(sign * way), np.sqrt(max(np.trace(strength) - along, 0.0)) / size,
        *(place + ROOM * theta[3:6]), ROOM * np.sqrt(np.trace(covariance[3:6, 3:6])),
        SPEED * theta[6], SPEED * np.sqrt(covariance[6, 6]),
        np.sqrt(np.mean((rest(theta) * np.tile(sigma, 2)) ** 2) * 2 / np.mean(np.abs(seen) ** 2)),
        ROOM * moved, turned,
    ])  # fmt: skip


def _along(way: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """Return the standard error along a way (3,): what a length in that direction is uncertain by."""
    size = float(np.linalg.norm(way))
    unit = way / size if size > 0 else np.full(3, np.sqrt(1 / 3))
    return float(np.sqrt(unit @ covariance @ unit))
