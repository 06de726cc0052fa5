"""The matrix that turns what the sensors read into a map, its slopes and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, kernel
from zeromag.mapping.field_map import FieldMap, Grid

F32 = NDArray[np.float32]


@kernel
def _weigh(readings: F64, weights: F64, out: F64) -> None:
    """Sum each reading's channels into pixels, channel after channel: `out` (n_times, n_pixels) starts at zero.

    Not BLAS: its order of summation depends on how many readings come at once, and two busy threads of it
    take ten times as long as one loop.
    """
    for t in range(readings.shape[0]):
        for c in range(weights.shape[0]):
            value = readings[t, c]
            for p in range(weights.shape[1]):
                out[t, p] += value * weights[c, p]


@kernel
def _weigh_live(readings: F32, weights: F32, out: F32) -> None:
    """Sum as `_weigh` does, eight channels at a pass and in half the bytes: 2.6 times as fast (64 channels, 64×64)."""
    for t in range(readings.shape[0]):
        for c in range(0, weights.shape[0], 8):
            a, b, d, e = readings[t, c], readings[t, c + 1], readings[t, c + 2], readings[t, c + 3]
            f, g, h, i = readings[t, c + 4], readings[t, c + 5], readings[t, c + 6], readings[t, c + 7]
            for p in range(weights.shape[1]):
                out[t, p] += (
                    a * weights[c, p]
                    + b * weights[c + 1, p]
                    + d * weights[c + 2, p]
                    + e * weights[c + 3, p]
                    + f * weights[c + 4, p]
                    + g * weights[c + 5, p]
                    + h * weights[c + 6, p]
                    + i * weights[c + 7, p]
                )


@dataclass(frozen=True, slots=True, eq=False)
class MapOperator:
    """Minimum norm through the lead field of the heart volume (Numminen 1995), for one set of good channels."""

    grid: Grid
    good: BOOL  # (n_channels,) the channels it takes
    value: F64  # (n_good, n_pixels)
    dx: F64  # (n_good, n_pixels) 1/m
    dy: F64  # (n_good, n_pixels) 1/m
    sd: F64  # (n_pixels,) T, one posterior standard deviation
    margin: float  # m, half a pitch: how far beyond the sensors the grid reaches
    light: tuple[F32, F32, F32]  # value, dx, dy (n_good filled up to a multiple of 8, n_pixels), for live frames
    inverse: F64  # (n_good, n_good) 1/T², of the readings' covariance

    def __call__(self, time: F64, readings: F64) -> FieldMap:
        """Return the maps of readings (n_times, n_channels) T, one row after the other."""
        seen = np.ascontiguousarray(readings[:, self.good])
        return self._map(time, *(self._weighed(seen, weights) for weights in (self.value, self.dx, self.dy)))

    def live(self, time: F64, readings: F64) -> FieldMap:
        """Return the maps in single precision, for eyes: within 1e-5 of the field, in a third of the time."""
        bz, dx, dy = (self.live_field(readings, which).astype(np.float64) for which in range(3))
        return self._map(time, bz, dx, dy)

    def live_field(self, readings: F64, which: int = 0) -> F32:
        """Return the field (0) or its slope along x (1) or y (2) in single precision: (n_times, ny, nx)."""
        weights = self.light[which]
        seen = np.zeros((len(readings), len(weights)), dtype=np.float32)
        seen[:, : self.value.shape[0]] = readings[:, self.good]
        out = np.zeros((len(readings), weights.shape[1]), dtype=np.float32)
        _weigh_live(seen, weights, out)
        return out.reshape(len(readings), *self.grid.mask.shape)

    def _map(self, time: F64, bz: F64, slope_x: F64, slope_y: F64) -> FieldMap:
        return FieldMap(
            grid=self.grid,
            time=np.asarray(time, dtype=np.float64),
            bz=bz,
            bz_sd=np.broadcast_to(self.sd.reshape(bz.shape[1:]), bz.shape),
            jx=slope_y,
            jy=-slope_x,
        )

    def bz(self, readings: F64) -> F64:
        """Return the field alone, for readings (n_times, n_channels) T: (n_times, ny, nx) T."""
        return self._weighed(np.ascontiguousarray(readings[:, self.good]), self.value)

    def currents(self, readings: F64) -> tuple[F64, F64]:
        """Return the pseudo-current ∂Bz/∂y, −∂Bz/∂x alone, for readings (n_times, n_channels) T: T/m."""
        seen = np.ascontiguousarray(readings[:, self.good])
        return self._weighed(seen, self.dy), -self._weighed(seen, self.dx)

    def _weighed(self, seen: F64, weights: F64) -> F64:
        out = np.zeros((len(seen), weights.shape[1]))
        _weigh(seen, weights, out)
        return out.reshape(len(seen), *self.grid.mask.shape)

    def left_out(self, readings: F64) -> F64:
        """Return what each good channel reads beyond what the others foretell: (n_times, n_good) T.

        e = A⁻¹y / diag A⁻¹ with A the readings' covariance is the residual of a fit without that channel.
        """
        rest: F64 = readings[:, self.good] @ self.inverse / np.diag(self.inverse)
        return rest

    def left_out_error(self, reading: F64) -> float:
        """Return how wrong each channel of one reading (n_channels,) is foretold by the others: rms over rms."""
        missed = self.left_out(reading[None, :])
        return float(np.sqrt(np.sum(missed**2) / np.sum(reading[self.good] ** 2)))


def light(weights: F64) -> F32:
    """Return weights (n_good, n_pixels) in single precision, filled up with zeros to a multiple of eight channels."""
    filled = np.zeros((-(-len(weights) // 8) * 8, weights.shape[1]), dtype=np.float32)
    filled[: len(weights)] = weights
    return filled
