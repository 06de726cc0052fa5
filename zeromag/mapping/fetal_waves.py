"""Where the waves of a fetus's averaged beat begin, peak and end: they are short and small beside an adult's.

An adult's QRS is told by speed over 12 ms; a fetus's lasts 50 ms in all, so here it begins and ends where the field
over the array passes a share of its peak. P, a twentieth of that, is told by tangents as an adult's is: a tenth of it
drowns in what is left of the mother.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.fiducials import Fiducials, descent, wave_fiducials

BASELINE = (-0.055, -0.035)  # s from R: between P and QRS
STRETCH = 2.0  # how much faster than an adult's its T wave runs
QRS_SHARE = 0.045, 0.042  # of the peak, at which QRS begins and ends: from 5 % on its end would be that of R without S
QRS_NOTCH = 0.012  # s, longest stillness within a QRS
P_STEEP = 0.65  # of P's greatest slope: from there on its outermost slope counts, since two atria make two humps
P_REACH = 0.06  # s from its peak within which P begins and ends
P_WINDOW = (0.12, 0.025)  # s before QRS in which P peaks
SMOOTH_P = 0.005  # s, twice
SEEN = 4.0  # times the noise that a P must have


def fetal_waves(time: F64, wave: F64) -> Fiducials:
    """Return the fiducials of a fetus's beat (n_times, n_channels) T, `time` s from R; NaN where no wave is seen."""
    quiet = (time >= BASELINE[0]) & (time <= BASELINE[1])
    wave = wave - wave[quiet].mean(axis=0)
    slow = wave_fiducials(time * STRETCH, wave, baseline=(STRETCH * BASELINE[0], STRETCH * BASELINE[1]))
    size, _ = _size(wave, quiet)
    r = int(np.argmax(np.where(np.abs(time) < 0.02, size, 0.0)))
    notch = round(QRS_NOTCH / (time[1] - time[0]))
    onset = _edge(time, size, r, -1, QRS_SHARE[0] * size[r], notch)
    end = _edge(time, size, r, 1, QRS_SHARE[1] * size[r], notch)
    p_onset, p_peak, p_end = _p(time, wave, quiet, onset)
    return replace(
        slow,
        p_onset=p_onset,
        p_peak=p_peak,
        p_end=p_end,
        qrs_onset=onset,
        r_peak=float(time[r]),
        qrs_end=end,
        t_onset=slow.t_onset / STRETCH,
        t_peak=slow.t_peak / STRETCH,
        t_end=slow.t_end / STRETCH,
        t_end_trapezium=slow.t_end_trapezium / STRETCH,
    )


def _size(wave: F64, quiet: BOOL) -> tuple[F64, float]:
    """Return the field's size over the array with the noise's power taken off, and the noise."""
    power = np.sum(wave**2, axis=1)
    floor = float(np.median(power[quiet]))
    return np.sqrt(np.maximum(power - floor, 0.0)), float(np.sqrt(floor))


def _p(time: F64, wave: F64, quiet: BOOL, qrs_onset: float) -> tuple[float, float, float]:
    from scipy.ndimage import uniform_filter1d

    n = max(1, round(SMOOTH_P / (time[1] - time[0])))
    smooth = uniform_filter1d(uniform_filter1d(wave, n, axis=0, mode="nearest"), n, axis=0, mode="nearest")
    size, noise = _size(smooth, quiet)
    low, high = np.searchsorted(time, [qrs_onset - P_WINDOW[0], qrs_onset - P_WINDOW[1]]).tolist()
    k = low + int(np.argmax(size[low:high])) if high > low else 0
    if not low < k < high - 1 or size[k] < SEEN * noise:
        return float("nan"), float("nan"), float("nan")
    peak = float(time[k])
    onset = -descent(-time[::-1], size[::-1], len(time) - 1 - k, P_REACH - peak, P_STEEP)
    return onset, peak, descent(time, size, k, min(qrs_onset, peak + P_REACH), P_STEEP)


def _edge(time: F64, size: F64, k: int, step: int, level: float, notch: int) -> float:
    """Return where, going out from row `k`, the size falls below a level and stays there longer than a notch."""
    last = at = k
    while 0 < at < len(size) - 1 and abs(at - last) <= notch:
        at += step
        if size[at] >= level:
            last = at
    inside, outside = size[last], size[min(max(last + step, 0), len(size) - 1)]
    share = (inside - level) / (inside - outside) if inside > outside else 0.0
    return float(time[last] + step * share * (time[1] - time[0]))
