"""Where the waves of a fetus's averaged beat begin, peak and end: by their size, since they are short and small.

An adult's onsets are told by speed over 12 ms; a fetus's whole QRS lasts 50 ms and its P wave 40, so each wave here
begins and ends where the field over the array passes a share of that wave's own peak.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.fiducials import Fiducials, wave_fiducials

BASELINE = (-0.055, -0.035)  # s from R: between P and QRS
STRETCH = 2.0  # how much faster than an adult's its T wave runs
QRS_SHARE = 0.04  # of the peak, at which QRS begins and ends
QRS_NOTCH = 0.012  # s, longest stillness within a QRS
P_SHARE = 0.1
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
    onset = _edge(time, size, r, -1, QRS_SHARE * size[r], notch)
    end = _edge(time, size, r, 1, QRS_SHARE * size[r], notch)
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
    level = max(P_SHARE * size[k], noise)
    return _edge(time, size, k, -1, level, 0), float(time[k]), _edge(time, size, k, 1, level, 0)


def _edge(time: F64, size: F64, k: int, step: int, level: float, notch: int) -> float:
    """Return where, going out from row `k`, the size falls below a level and stays there longer than a notch.

    Once it has fallen below a third of the wave, a rise by as much as a tenth of it belongs to something else.
    """
    last, lowest, peak = k, k, size[k]
    at = k
    while 0 < at < len(size) - 1 and abs(at - last) <= notch:
        at += step
        if size[at] < size[lowest]:
            lowest = at
        if notch == 0 and size[lowest] < peak / 3 and size[at] > size[lowest] + 0.1 * peak:
            return float(time[lowest])
        if size[at] >= level:
            last = at
    inside, outside = size[last], size[min(max(last + step, 0), len(size) - 1)]
    share = (inside - level) / (inside - outside) if inside > outside else 0.0
    return float(time[last] + step * share * (time[1] - time[0]))
