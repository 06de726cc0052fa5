"""A map's weights in a form for live frames: few rows and columns of the grid, in single precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import F64, I64, kernel

F32 = NDArray[np.float32]
SMALL = 2e-6  # of the largest singular value, below which a shape along rows or columns is left out


@kernel
def _frame(readings: F32, core: F32, rows: F32, columns: F32, coarse: F32, partial: F32, out: F64) -> None:
    """Write `out` (n_times, ny, nx) = rows · (readings · core) · columns, four terms at a pass.

    `core` (n_channels, a·b), `rows` (ny, a), `columns` (b, nx); channels, a and b are filled up to multiples of four.
    """
    a_n, b_n = rows.shape[1], columns.shape[0]
    line = np.empty(columns.shape[1], dtype=np.float32)
    for t in range(readings.shape[0]):
        coarse[:] = 0.0
        for c in range(0, readings.shape[1], 4):
            p, q, r, s = readings[t, c], readings[t, c + 1], readings[t, c + 2], readings[t, c + 3]
            for k in range(coarse.shape[0]):
                coarse[k] += p * core[c, k] + q * core[c + 1, k] + r * core[c + 2, k] + s * core[c + 3, k]
        for a in range(a_n):
            line[:] = 0.0
            for b in range(0, b_n, 4):
                at = a * b_n + b
                p, q, r, s = coarse[at], coarse[at + 1], coarse[at + 2], coarse[at + 3]
                for x in range(line.shape[0]):
                    line[x] += p * columns[b, x] + q * columns[b + 1, x] + r * columns[b + 2, x] + s * columns[b + 3, x]
            partial[a] = line
        for y in range(rows.shape[0]):
            line[:] = 0.0
            for a in range(0, a_n, 4):
                p, q, r, s = rows[y, a], rows[y, a + 1], rows[y, a + 2], rows[y, a + 3]
                for x in range(line.shape[0]):
                    line[x] += p * partial[a, x] + q * partial[a + 1, x] + r * partial[a + 2, x] + s * partial[a + 3, x]
            for x in range(line.shape[0]):
                out[t, y, x] = line[x]


@kernel
def _taken(readings: F64, columns: I64, out: F32) -> None:
    """Copy some columns in single precision."""
    for t in range(readings.shape[0]):
        for c in range(columns.shape[0]):
            out[t, c] = readings[t, columns[c]]


@dataclass(frozen=True, slots=True, eq=False)
class LiveWeights:
    """Weights (n_channels, ny, nx) as core · rows · columns (Tucker 1966): a field of a heart is smooth along both.

    Some twenty shapes of 64 along each side hold it to 1e-5, so that a frame takes a third of the products, and
    its weights a tenth of the memory: they stay in the processor's cache.
    """

    core: F32  # (n_channels, a * b)
    rows: F32  # (ny, a)
    columns: F32  # (b, nx)
    channels: I64  # (n,) columns of the readings that they belong to

    @classmethod
    def of(cls, weights: F64, channels: I64) -> LiveWeights:
        """Return the form of weights (n_channels, ny, nx) for these columns of the readings."""
        down, across = _shapes(np.moveaxis(weights, 1, 0)), _shapes(np.moveaxis(weights, 2, 0))
        core = np.einsum("cyx,ya,xb->cab", weights, down, across, optimize=True)
        rows, columns = _filled(down), _filled(across).T
        whole = np.zeros((-(-len(core) // 4) * 4, rows.shape[1], columns.shape[0]))
        whole[: len(core), : core.shape[1], : core.shape[2]] = core
        return cls(
            core=np.ascontiguousarray(whole.reshape(len(whole), -1), dtype=np.float32),
            rows=np.ascontiguousarray(rows, dtype=np.float32),
            columns=np.ascontiguousarray(columns, dtype=np.float32),
            channels=channels,
        )

    def taken(self, readings: F64) -> F32:
        """Return the channels of readings (n_times, n_all) that the weights take, filled up with zeros."""
        out = np.zeros((len(readings), len(self.core)), dtype=np.float32)
        _taken(readings, self.channels, out)
        return out

    def __call__(self, readings: F32) -> F64:
        """Return the fields of what `taken` gave: (n_times, ny, nx)."""
        out = np.empty((len(readings), len(self.rows), self.columns.shape[1]))
        coarse = np.empty(self.core.shape[1], dtype=np.float32)
        partial = np.empty((self.rows.shape[1], self.columns.shape[1]), dtype=np.float32)
        _frame(readings, self.core, self.rows, self.columns, coarse, partial, out)
        return out


def _shapes(unfolded: F64) -> F64:
    """Return the shapes along the first axis that hold the weights: (n, k) orthonormal."""
    flat = unfolded.reshape(len(unfolded), -1)
    squares, left = np.linalg.eigh(flat @ flat.T)  # of a thousand channels a twentieth of the time of their SVD
    return np.asarray(left[:, squares > SMALL**2 * squares[-1]][:, ::-1], dtype=np.float64)


def _filled(shapes: F64) -> F64:
    """Return shapes with columns of zeros up to a multiple of four."""
    return np.pad(shapes, [(0, 0), (0, -shapes.shape[1] % 4)])
