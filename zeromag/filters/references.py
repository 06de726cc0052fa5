"""What the adaptive filters share: reference channels as regressors, and errors that no QRS can dominate."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.sensors import SensorArray

SLOW_S = 60.0  # memory of the mean that is taken off both sides: slower drifts pass, offsets carry no information
SCALE_S = 2.0  # memory of the usual size of an error


@kernel
def regressors(x: F64, bad: BOOL, t: int, refs: I64, gain: float, slow: F64, held: F64, line: F64) -> None:
    """Move the delay line (tap, reference) on by one sample; a bad reference repeats its last good value."""
    taps = line.shape[0]
    for j in range(taps - 1, 0, -1):
        for c in range(line.shape[1]):
            line[j, c] = line[j - 1, c]
    for c in range(line.shape[1]):
        value = x[t, refs[c]]
        if not bad[t, refs[c]] and np.isfinite(value):
            if np.isnan(slow[c]):
                slow[c] = value
            slow[c] += gain * (value - slow[c])
            held[c] = value - slow[c]
        line[0, c] = held[c]


@kernel
def believed(error: float, c: int, clip: float, gain: float, scale: F64) -> float:
    """Return the error clipped at `clip` times its usual size, and follow that size; clip 0 believes everything."""
    if clip <= 0.0:
        return error
    if np.isnan(scale[c]):
        scale[c] = abs(error)
    limit = clip * scale[c]
    part = min(max(error, -limit), limit) if limit > 0.0 else error
    scale[c] += gain * (abs(part) - scale[c])
    return part


class References:
    """Columns and memory of one running adaptive filter."""

    def __init__(self, sensors: SensorArray, rate: float, taps: int) -> None:
        usable = sensors.usable()
        refs = sensors.of_kind("ref")
        self.refs = refs[usable[refs]]
        self.mags = sensors.of_kind("mag")
        if len(self.refs) == 0:
            raise ValueError("an adaptive filter needs at least 1 good reference channel, got 0")
        self.gain = 1.0 / (SLOW_S * rate)
        self.scale_gain = 1.0 / (SCALE_S * rate)
        self.slow = np.full(len(self.refs), np.nan)
        self.held = np.zeros(len(self.refs))
        self.line = np.zeros((taps, len(self.refs)))
        self.mag_slow = np.full(len(self.mags), np.nan)
        self.scale = np.full(len(self.mags), np.nan)

    @property
    def count(self) -> int:
        """Return the number of regressors."""
        return int(self.line.size)


def check_taps(taps: int, clip: float) -> None:
    """Raise ValueError unless there is at least one tap and the clip is 0 or more."""
    if not 1 <= taps <= 64:
        raise ValueError(f"taps must be 1 to 64, got {taps}")
    if not clip >= 0:
        raise ValueError(f"clip must be 0 (off) or more, got {clip}")
