"""What the averaged wave says without a map: how fragmented the QRS is, how unsteady the ST segment."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64

SMOOTH = 3  # spatial components that an unfragmented QRS has
ST = (0.020, 0.080)  # s after the QRS's end


def qrs_fragmentation(qrs: F64) -> float:
    """Return the share of a QRS's energy (n_times, n_channels) beyond its three strongest spatial components.

    The magnetic likeness of the micro-fragmentation of Hnatkova et al. 2022, who rebuild the leads from three
    orthogonal components; it needs no threshold for what counts as a notch.
    """
    if min(qrs.shape) <= SMOOTH:
        return float("nan")
    gram = qrs.T @ qrs if qrs.shape[1] <= qrs.shape[0] else qrs @ qrs.T
    energy = np.linalg.eigvalsh(gram)
    total = float(energy.sum())
    return float(np.maximum(energy[:-SMOOTH], 0.0).sum()) / total if total > 0 else float("nan")


def st_fluctuation(time: F64, wave: F64, qrs_end: float, r_size: float) -> float:
    """Return how far the field (n_times, n_channels) strays from straight lines in the ST segment, over R's RMS.

    Root mean square over channels and 20–80 ms after the QRS, each channel's own straight line taken off.
    """
    rows = np.flatnonzero((time >= qrs_end + ST[0]) & (time <= qrs_end + ST[1]))
    if len(rows) < 4 or not r_size > 0:
        return float("nan")
    line = np.stack([np.ones(len(rows)), time[rows] - time[rows].mean()], axis=1)
    line /= np.linalg.norm(line, axis=0)
    part = wave[rows]
    rest = part - line @ (line.T @ part)
    return float(np.sqrt(np.mean(rest**2))) / r_size
