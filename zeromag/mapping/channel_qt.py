"""The QT interval of every channel, how far it spreads over the array, and how smoothly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64
from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import SMOOTH_T, Fiducials
from zeromag.mapping.map_grid import pitch

TALL = 1 / 3  # of the array's tallest T wave, which a channel's own must reach to be told
CLEAR = 8.0  # times the channel's noise
NEAR = 0.06  # s around the array's T peak in which a channel's own lies
FALL = 0.18  # s after it in which its steepest descent is looked for
NEIGHBOUR = 1.5  # pitches to the farthest neighbour: a square's eight
FEWEST = 4  # channels told, of which a spread is said


@dataclass(frozen=True, slots=True, eq=False)
class ChannelQt:
    """Which channels tell a QT interval, and which of those are neighbours; settled once for an average."""

    columns: I64  # (n,) indices of the channels
    beside: F64  # (n, n) 1 where two are neighbours

    def __call__(self, time: F64, wave: F64, marks: Fiducials) -> F64:
        """Return each one's QT, s, from the array's QRS onset to its own T end: (n,), NaN where there is none."""
        return t_ends(time, wave, self.columns, marks.t_peak) - marks.qrs_onset

    def spread(self, qt: F64) -> Mapping[str, float]:
        """Return QT dispersion, its standard deviation (Oikarinen 1998), and the smoothness (Van Leeuwen 1999)."""
        told = np.isfinite(qt)
        if told.sum() < FEWEST:
            return {}
        beside = self.beside * told
        number = beside.sum(axis=1)
        around = (beside @ np.where(told, qt, 0.0)) / np.maximum(number, 1.0)
        away = (qt - around)[told & (number > 0)]
        return {
            "qt_dispersion": float(np.ptp(qt[told])),
            "qt_deviation": float(qt[told].std(ddof=1)),
            "smoothness_index": float(np.sqrt(np.mean(away**2))) if len(away) else float("nan"),
        }


def channel_qt(average: Average, marks: Fiducials) -> ChannelQt:
    """Return which channels of an average have a T wave tall and clear enough for an end of their own."""
    told: BOOL = np.zeros(len(average.good), dtype=np.bool_)
    if np.isfinite(marks.t_peak):
        row = average.at(marks.t_peak)
        height = np.where(average.good, np.abs(average.wave[row]), 0.0)
        told = (height >= TALL * height.max()) & (height >= CLEAR * average.noise) & average.good & (height > 0)
    columns = np.flatnonzero(told & average.sensors.located())
    places = average.sensors.positions[columns]
    beside = np.zeros((len(columns), len(columns)))
    if len(columns) > 1:
        apart = np.linalg.norm(places[:, None, :] - places[None, :, :], axis=-1)
        located = average.sensors.positions[average.sensors.located()]
        beside = ((apart > 1e-3) & (apart <= NEIGHBOUR * pitch(located))).astype(np.float64)
    return ChannelQt(columns, beside)


def t_ends(time: F64, wave: F64, columns: I64, t_peak: float) -> F64:
    """Return where the steepest tangent of some channels' descent from their T peak meets zero: (n_columns,) s."""
    from scipy.ndimage import uniform_filter1d

    ends = np.full(len(columns), np.nan)
    if not np.isfinite(t_peak) or not len(columns):
        return ends
    step = float(time[1] - time[0])
    n = max(1, round(SMOOTH_T / step))
    low, stop = np.searchsorted(time, [t_peak - NEAR - 4 * SMOOTH_T, t_peak + NEAR + FALL]).tolist()
    part, at = wave[low:stop][:, columns], time[low:stop]
    smooth = uniform_filter1d(uniform_filter1d(part, n, axis=0, mode="nearest"), n, axis=0, mode="nearest")
    near = np.flatnonzero(np.abs(at - t_peak) <= NEAR)
    if len(near) < 3:
        return ends
    tall = near[0] + np.argmax(np.abs(smooth[near]), axis=0)
    each = np.arange(len(columns))
    upright = smooth * np.sign(smooth[tall, each])
    slope = np.gradient(upright, step, axis=0)
    rows = np.arange(len(at))[:, None]
    after = (rows >= tall) & (rows <= tall + round(FALL / step))
    steepest = np.argmin(np.where(after, slope, np.inf), axis=0)
    falls = slope[steepest, each] < 0
    ends[falls] = (at[steepest] - upright[steepest, each] / np.where(falls, slope[steepest, each], -1.0))[falls]
    return ends
