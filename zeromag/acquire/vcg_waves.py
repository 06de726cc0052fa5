"""Where the waves of a recorded heart vector begin and end, by rule on its mean beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTH = 0.005  # s, moving average before the speed is taken
STILL = 0.012  # s that the vector must stay slow
QRS_SHARE, P_SHARE = 0.05, 0.3  # of the wave's own greatest speed, below which it has not begun or has ended
QRS_REACH = 0.14  # s from R
P_WINDOW = (0.22, 0.03)  # s before QRS in which P peaks
T_START, T_STOP = 0.06, 0.55  # s after the end of QRS, s after R, and 0.6 RR at most
ALIKE = 0.95  # correlation with the mean beat from which a beat has its waves
SEEN = 4.0  # times the PR segment's restlessness that P's speed must have


def wave_marks(
    vector: NDArray[np.float64], peaks: NDArray[np.int64], rate: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return P on, P off, QRS on, QRS off, T peak, T end from R (6,) in samples, and which beats have them.

    On the median beat, whose noise is that of one beat over the root of their number: QRS and P reach outwards
    from their peaks to where the vector's speed |dv/dt| stays below 5 % of QRS's, 30 % of P's greatest for 12 ms;
    T ends where the steepest tangent of the falling |v| meets zero. NaN where a wave is not seen. Beats that
    do not look like the median beat (correlation below 0.95) have none of these marks.

    Parameters
    ----------
    vector : (n_samples, 3), its PR segments at zero
    peaks : (n_beats,) samples
    """
    usual = float(np.median(np.diff(peaks)))
    back, forth = round(min(0.4 * rate, 0.5 * usual)), round(min(T_STOP * rate, 0.6 * usual))
    whole = (peaks >= back) & (peaks + forth < len(vector))
    cut = np.array([vector[peak - back : peak + forth] for peak in peaks[whole]])
    middle = np.median(cut, axis=0)
    shape = middle.ravel() / np.linalg.norm(middle)
    alike = whole.copy()
    alike[whole] = cut.reshape(len(cut), -1) @ shape > ALIKE * np.linalg.norm(cut, axis=(1, 2))
    if not alike.any():
        return np.full(6, np.nan), alike
    beat = cut[alike[whole]].mean(axis=0)
    # a beat that was cut off by the record's ends has the waves that lie inside
    alike |= ~whole
    return _marks(beat, back, rate) - back, alike


def _marks(beat: NDArray[np.float64], r: int, rate: float) -> NDArray[np.float64]:
    """Return the six marks of one beat (n, 3), R at row `r`."""
    size = np.linalg.norm(beat, axis=1)
    width = max(1, round(SMOOTH * rate))
    smooth = np.stack([np.convolve(lead, np.ones(width) / width, mode="same") for lead in beat.T], axis=1)
    speed = np.linalg.norm(np.gradient(smooth, axis=0), axis=1)
    speed[:width], speed[-width:] = speed[width], speed[-width - 1]  # the average reaches beyond the ends
    reach = round(QRS_REACH * rate)
    fastest = float(speed[max(0, r - reach) : r + reach].max())
    on, off = _outwards(speed, r, QRS_SHARE * fastest, rate)
    marks = np.full(6, np.nan)
    marks[2:4] = on, off
    first, last = max(0, on - round(P_WINDOW[0] * rate)), on - round(P_WINDOW[1] * rate)
    if last > first:
        p = first + int(np.argmax(size[first:last]))
        own = float(speed[max(0, p - round(0.05 * rate)) : p + round(0.05 * rate)].max())
        rest = float(np.median(speed[on - round(0.02 * rate) : on]))
        if own > SEEN * rest:
            marks[:2] = _outwards(speed, p, P_SHARE * own, rate)
    top = off + round(T_START * rate)
    if top < len(size) - 2:
        top += int(np.argmax(size[top:]))
        slope = np.gradient(size)
        steep = top + int(np.argmin(slope[top:]))
        if top < steep < len(size) - 1:
            marks[4:] = top, steep - size[steep] / slope[steep]
    return marks


def _outwards(speed: NDArray[np.float64], start: int, limit: float, rate: float) -> tuple[int, int]:
    """Return the samples around `start` beyond which the speed stays below `limit` for a while."""
    still = max(1, round(STILL * rate))
    slow = np.convolve(speed < limit, np.ones(still), mode="valid") == still  # slow[k]: k … k + still - 1
    before, after = np.flatnonzero(slow[: max(0, start - still)]), np.flatnonzero(slow[start:])
    on = int(before[-1]) + still if len(before) else 0
    off = start + int(after[0]) if len(after) else len(speed) - 1
    return on, off
