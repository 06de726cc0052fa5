"""The matrix that turns what the sensors read into a map, its slopes and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.field_map import FieldMap, Grid


@dataclass(frozen=True, slots=True, eq=False)
class MapOperator:
    """Minimum norm through the lead field of the heart volume (Numminen 1995), for one set of good channels."""

    grid: Grid
    good: BOOL  # (n_channels,) the channels it takes
    value: F64  # (n_pixels, n_good)
    dx: F64  # (n_pixels, n_good) 1/m
    dy: F64  # (n_pixels, n_good) 1/m
    sd: F64  # (n_pixels,) T, one posterior standard deviation
    margin: float  # m, half a pitch: how far beyond the sensors the grid reaches
    inverse: F64  # (n_good, n_good) 1/T², of the readings' covariance

    def __call__(self, time: F64, readings: F64) -> FieldMap:
        """Return the maps of readings (n_times, n_channels) T, one row after the other."""
        shape = (len(readings), len(self.grid.y), len(self.grid.x))
        bz, jx, jy = np.empty(shape), np.empty(shape), np.empty(shape)
        for row, reading in enumerate(readings):
            # one product a row: a matrix of rows would be summed in an order that depends on how many there are
            seen = np.ascontiguousarray(reading[self.good])
            bz[row] = (self.value @ seen).reshape(shape[1:])
            jx[row] = (self.dy @ seen).reshape(shape[1:])
            jy[row] = -(self.dx @ seen).reshape(shape[1:])
        return FieldMap(
            grid=self.grid,
            time=np.asarray(time, dtype=np.float64),
            bz=bz,
            bz_sd=np.broadcast_to(self.sd.reshape(shape[1:]), shape),
            jx=jx,
            jy=jy,
        )

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
