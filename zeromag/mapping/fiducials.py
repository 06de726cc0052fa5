"""Where the waves of an averaged beat begin, peak and end, on the field's root mean square over the array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64
from zeromag.mapping.average import Average

BASELINE = (-0.10, -0.06)  # s from R, where an average's zero is
R_NEAR = 0.015  # s from zero in which R peaks: the beats are aligned on it, and a notched QRS has other peaks
QRS_REACH = 0.10  # s around R within which the QRS begins and ends
T_WINDOW = (0.12, 0.50)  # s after R in which the T wave peaks
P_WINDOW = (0.28, 0.05)  # s before the QRS's beginning in which the P wave peaks, after the T wave before it
P_REACH = 0.12  # s from its peak within which P begins and ends
STEEP = 0.8  # of P's greatest slope: atria one after the other make a wave of two humps
REST = (0.035, 0.010)  # s before the QRS's beginning in which the heart rests, however short PR is
VELOCITY = 0.08  # of the QRS's greatest speed, below which it has not begun or has ended
STILL = 0.012  # s that the field must stay that slow
SMOOTH_QRS = 0.006  # s, moving average before the speed is taken
SMOOTH_T = 0.016  # s, moving average before P and T are measured
MOST_DIRECTIONS = 6  # in which a beat is looked for; it has three to five
TINY = float(np.finfo(np.float64).tiny)
SEEN = 4.0  # times the noise that a P or T peak must have
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Fiducials:
    """Times from R of one averaged beat, s; NaN where a wave is not seen."""

    p_onset: float = NAN
    p_peak: float = NAN
    p_end: float = NAN
    qrs_onset: float = NAN
    r_peak: float = NAN
    qrs_end: float = NAN
    t_onset: float = NAN
    t_peak: float = NAN
    t_end: float = NAN  # where the steepest descent's tangent meets the baseline
    t_end_trapezium: float = NAN  # where the trapezium under the descent is largest (Vázquez-Seisdedos 2011)
    t_third: float = NAN  # where T has grown to a third of its height


def fiducials(average: Average) -> Fiducials:
    """Return the fiducials of an averaged beat; all NaN when no channel is good."""
    if not average.good.any():
        return Fiducials()
    wave = average.wave[:, average.good] @ signal_space(average)
    return marks(average.kind, average.time, wave, beat_to_beat(average))


def beat_to_beat(average: Average) -> float:
    """Return the mean RR before the beats of an average, s; NaN when none is known."""
    known = np.zeros(0) if average.rr is None else average.rr[np.isfinite(average.rr)]
    return float(known.mean()) if len(known) else NAN


def marks(kind: str, time: F64, wave: F64, rr: float = NAN) -> Fiducials:
    """Return the fiducials of a wave of one class of beats: a fetus's are told in another way than an adult's."""
    if kind == "fetal":
        from zeromag.mapping.fetal_waves import fetal_waves  # it builds on this file

        return fetal_waves(time, wave)
    return wave_fiducials(time, wave, rr)


def signal_space(average: Average) -> F64:
    """Return the directions in which the good channels hold more than noise: (n_good, n_directions).

    Singular values beyond what white noise of the average's own size reaches, (√n_times + √n_channels) σ, six
    at most. Leaving the others out takes most of the noise out of the RMS.
    """
    wave = average.wave[:, average.good]
    noise = float(np.sqrt(np.mean(average.noise[average.good] ** 2)))
    sizes, directions = _largest(wave - wave.mean(axis=0), MOST_DIRECTIONS)
    limit = 1.1 * noise * (np.sqrt(len(wave)) + np.sqrt(wave.shape[1]))
    count = max(1, int((sizes > limit).sum()))
    return np.ascontiguousarray(directions[:, :count])


def _largest(wave: F64, count: int) -> tuple[F64, F64]:
    """Return the largest singular values of (n_times, n_channels), and their directions as columns.

    By way of the smaller of the two matrices of products: all singular values of a thousand channels would take
    five times as long, in a window too that has pictures to draw meanwhile. What squares lose is far below noise.
    """
    from scipy.linalg import eigh

    tall = len(wave) > wave.shape[1]
    products = wave.T @ wave if tall else wave @ wave.T
    side = len(products)
    squares, vectors = eigh(products, subset_by_index=[max(0, side - count), side - 1])
    sizes: F64 = np.sqrt(np.maximum(squares[::-1], 0.0))
    directions: F64 = vectors[:, ::-1] if tall else wave.T @ vectors[:, ::-1] / np.maximum(sizes, TINY)
    return sizes, directions


def wave_fiducials(time: F64, wave: F64, rr: float = NAN, baseline: tuple[float, float] | None = None) -> Fiducials:
    """Return the fiducials of a wave (n_times, n_channels) T, `time` and `rr` s from R; zero is the level before QRS.

    `baseline` (s from R) is where zero is when that is not told from the QRS.
    """
    rate = 1.0 / (time[1] - time[0])
    rms = np.sqrt(np.mean((wave - _level(time, wave, baseline or BASELINE)) ** 2, axis=1))
    r = _highest(rms, time, -R_NEAR, R_NEAR)
    onset, end = _qrs(time, wave, r, rate)
    rest = baseline or (onset - REST[0], onset - REST[1])
    quiet = (time >= rest[0]) & (time <= rest[1])
    power = np.mean(_smoothed(wave - _level(time, wave, rest), rate) ** 2, axis=1)
    # noise adds its power to that of the field: it is taken off, so that a wave's foot lies on zero
    floor = float(power[quiet].mean()) if quiet.any() else 0.0
    smooth, noise = np.sqrt(np.maximum(power - floor, 0.0)), float(np.sqrt(floor))
    t = _highest(smooth, time, max(T_WINDOW[0], end + 0.04), T_WINDOW[1])
    seen = smooth[t] > SEEN * noise and 0 < t < len(time) - 2
    t_end = descent(time, smooth, t) if seen else NAN
    trapezium = _trapezium(time, smooth, t) if seen else NAN
    t_onset = -descent(-time[::-1], smooth[::-1], len(time) - 1 - t, until=-end) if seen else NAN
    third = _risen(time, smooth, t, max(0, r)) if seen else NAN
    before = t_end - rr if np.isfinite(t_end - rr) else -np.inf  # of a fast heart the wave before P is a T
    p_onset, p_peak, p_end = _p(time, smooth, onset, noise, before)
    return Fiducials(
        p_onset=p_onset,
        p_peak=p_peak,
        p_end=p_end,
        qrs_onset=onset,
        r_peak=_refined(time, rms, r) if 0 < r < len(time) - 1 else float(time[r]),
        qrs_end=end,
        t_onset=t_onset,
        t_third=third,
        t_peak=_refined(time, smooth, t) if seen else NAN,
        t_end=t_end,
        t_end_trapezium=trapezium,
    )


def _level(time: F64, wave: F64, rest: tuple[float, float]) -> F64:
    rows = (time >= rest[0]) & (time <= rest[1])
    level: F64 = wave[rows].mean(axis=0) if rows.any() else np.zeros(wave.shape[1])
    return level


def _smoothed(wave: F64, rate: float) -> F64:
    from scipy.ndimage import uniform_filter1d

    n = max(1, round(SMOOTH_T * rate))
    out: F64 = uniform_filter1d(uniform_filter1d(wave, n, axis=0, mode="nearest"), n, axis=0, mode="nearest")
    return out


def _highest(values: F64, time: F64, low: float, high: float) -> int:
    rows = np.flatnonzero((time >= low) & (time <= high))
    return int(rows[np.argmax(values[rows])]) if len(rows) else len(time) - 1


def _qrs(time: F64, wave: F64, r: int, rate: float) -> tuple[float, float]:
    """Return when the field's speed over the array rises above, and falls below, a share of its greatest."""
    from scipy.ndimage import uniform_filter1d

    n = max(1, round(SMOOTH_QRS * rate))
    speed = np.mean(np.gradient(uniform_filter1d(wave, n, axis=0, mode="nearest"), axis=0) ** 2, axis=1)
    near = (time >= time[r] - QRS_REACH) & (time <= time[r] + QRS_REACH)
    before = time <= time[r] - 0.05
    quiet = float(np.quantile(speed[before], 0.3)) if before.any() else 0.0
    threshold = quiet + VELOCITY**2 * (float(speed[near].max()) - quiet)
    still = max(1, round(STILL * rate))
    reach = round(QRS_REACH * rate)
    slow = np.concatenate(([0], np.cumsum(speed < threshold)))
    stop = min(len(time) - still, r + reach + round(0.05 * rate))
    backward, forward = np.arange(r, max(still, r - reach), -1), np.arange(r + 1, stop)
    onset = _first(backward, slow[backward] - slow[backward - still] == still, r - reach)
    end = _first(forward, slow[forward + still] - slow[forward] == still, min(r + reach, len(time) - 1))
    onset = max(1, onset)
    return _crossing(time, speed, onset, threshold), _crossing(time, speed, end, threshold)


def _first(rows: I64, fits: BOOL, otherwise: int) -> int:
    return int(rows[np.argmax(fits)]) if fits.any() else otherwise


def _crossing(time: F64, speed: F64, k: int, threshold: float) -> float:
    """Return when the speed crosses the threshold between samples k − 1 and k, or the time of k."""
    before, now = float(speed[k - 1]), float(speed[k])
    if (before - threshold) * (now - threshold) >= 0:
        return float(time[k])
    return float(time[k] - (now - threshold) / (now - before) * (time[1] - time[0]))


def descent(time: F64, values: F64, peak: int, until: float = np.inf, share: float = 1.0) -> float:
    """Return where a tangent at the steepest descent after a peak meets zero.

    With a `share` below 1 it is the last descent that is at least so steep: a wave may come down in two steps.
    """
    stop = min(peak + max(3, round(0.18 / (time[1] - time[0]))), len(time) - 1)
    stop = min(stop, int(np.searchsorted(time, until)))
    if stop - peak < 3:
        return NAN
    slope = np.gradient(values, time)
    down = slope[peak : stop + 1]
    if down.min() >= 0:
        return NAN
    steep = np.flatnonzero(down <= share * down.min())
    runs = np.split(steep, np.flatnonzero(np.diff(steep) > 1) + 1)
    steepest = peak + int(runs[-1][np.argmin(down[runs[-1]])])
    end = float(time[steepest] - values[steepest] / slope[steepest])
    return end if end <= time[-1] else NAN  # a wave that goes on beyond the window has no end


def _risen(time: F64, values: F64, peak: int, first: int, share: float = 1 / 3) -> float:
    """Return where a wave last rises above a share of its peak, between samples."""
    level = share * values[peak]
    below = np.flatnonzero(values[first:peak] < level)
    if not len(below):
        return NAN
    k = first + int(below[-1])
    return float(time[k] + (level - values[k]) / (values[k + 1] - values[k]) * (time[1] - time[0]))


def _trapezium(time: F64, values: F64, peak: int) -> float:
    """Return the time that spans the largest trapezium with the steepest descent and a point well after it."""
    step = time[1] - time[0]
    stop = min(peak + round(0.22 / step), len(time) - 1)
    slope = np.gradient(values, time)
    steepest = peak + int(np.argmin(slope[peak : max(peak + 2, stop - round(0.06 / step))]))
    rows = np.arange(steepest, stop + 1)
    area = 0.5 * (values[steepest] - values[rows]) * (2 * time[stop] - time[rows] - time[steepest])
    return float(time[rows[int(np.argmax(area))]])


def _p(time: F64, smooth: F64, qrs_onset: float, noise: float, after: float) -> tuple[float, float, float]:
    begin = max(after, qrs_onset - P_WINDOW[0])
    k = _highest(smooth, time, begin, qrs_onset - P_WINDOW[1])
    first = int(np.searchsorted(time, begin))
    if not (first < k < len(time) - 2) or smooth[k] < SEEN * noise or smooth[k] < smooth[k + 1]:
        return NAN, NAN, NAN
    end = descent(time, smooth, k, min(qrs_onset, float(time[k]) + P_REACH), STEEP)
    onset = -descent(-time[::-1], smooth[::-1], len(time) - 1 - k, -max(after, float(time[k]) - P_REACH), STEEP)
    return onset, _refined(time, smooth, k), end


def _refined(time: F64, values: F64, k: int) -> float:
    """Return the place of a peak between samples, by a parabola."""
    left, middle, right = values[k - 1 : k + 2].tolist()
    curve = left - 2 * middle + right
    return float(time[k] + (0.5 * (left - right) / curve if curve < 0 else 0.0) * (time[1] - time[0]))
