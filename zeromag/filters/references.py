"""What the adaptive filters share: reference channels as regressors, and errors that no QRS can dominate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.filters.known_heart import random_lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

ENOUGH = 6  # references that can be made blind to the heart and still see the room
SCALE_S = 2.0  # memory of the usual size of an error


@kernel
def regressors(x: F64, bad: BOOL, t: int, refs: I64, mix: F64, gain: float, slow: F64, held: F64, line: F64) -> None:
    """Move the delay line (tap, regressor) on by one sample of `mix` (reference, regressor) times the references.

    References are taken about their slow mean; a bad one repeats its last good value.
    """
    for j in range(line.shape[0] - 1, 0, -1):
        for k in range(line.shape[1]):
            line[j, k] = line[j - 1, k]
    for c in range(len(refs)):
        value = x[t, refs[c]]
        if not bad[t, refs[c]] and np.isfinite(value):
            if np.isnan(slow[c]):
                slow[c] = value
            slow[c] += gain * (value - slow[c])
            held[c] = value - slow[c]
    for k in range(line.shape[1]):
        acc = 0.0
        for c in range(len(refs)):
            acc += mix[c, k] * held[c]
        line[0, k] = acc


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


@dataclass(frozen=True, slots=True)
class Learning:
    """What every adaptive filter can be told about how it learns."""

    taps: int = 1  # samples back that the references are used
    clip: float = 4.0  # times the mean size of the error, beyond which it is clipped; 0: off
    slow: float = 1.0  # s, memory of the mean taken off both sides: the PR baseline takes slower swings
    blind: int = 2  # patterns of the heart that the references are made blind to

    def __post_init__(self) -> None:
        if not 1 <= self.taps <= 64:
            raise ValueError(f"taps must be 1 to 64, got {self.taps}")
        if not self.clip >= 0:
            raise ValueError(f"clip must be 0 (off) or more, got {self.clip}")
        if not self.slow > 0:
            raise ValueError(f"slow must be above 0 s, got {self.slow}")
        if self.blind < 0:
            raise ValueError(f"blind must be 0 or more patterns, got {self.blind}")


class References:
    """Columns and memory of one running adaptive filter."""

    def __init__(self, sensors: SensorArray, rate: float, learning: Learning) -> None:
        usable = sensors.usable()
        refs = sensors.of_kind("ref")
        self.refs = refs[usable[refs]]
        self.mags = sensors.of_kind("mag")
        if len(self.refs) == 0:
            raise ValueError("an adaptive filter needs at least 1 good reference channel, got 0")
        self.mix = heart_blind(sensors, self.refs, learning.blind)
        self.gain = min(1.0, 1.0 / (learning.slow * rate))
        self.scale_gain = min(1.0, 1.0 / (SCALE_S * rate))
        self.slow = np.full(len(self.refs), np.nan)
        self.held = np.zeros(len(self.refs))
        self.line = np.zeros((learning.taps, self.mix.shape[1]))
        self.mag_slow = np.full(len(self.mags), np.nan)
        self.scale = np.full(len(self.mags), np.nan)

    @property
    def count(self) -> int:
        """Return the number of regressors."""
        return int(self.line.size)


def heart_blind(sensors: SensorArray, refs: NDArray[np.int64], patterns: int) -> NDArray[np.float64]:
    """Return combinations of references that the strongest heart patterns do not reach: (n_refs, n_refs - patterns).

    References 25 cm above a chest still see 8 % of the heart, and in a quiet room a least-squares filter finds it:
    it would take 30 % of the QRS. Blind to two patterns they see 1 %, at the price of 2 dB. With fewer than six
    references, or no heart below the array, all are used as they are.
    """
    heart = random_lead_field(sensors, HalfSpace(), HeartVolume(), 200) if len(refs) >= ENOUGH else None
    if heart is None or patterns == 0 or not sensors.located()[refs].all():
        return np.eye(len(refs))
    left, _, _ = np.linalg.svd(heart[refs], full_matrices=True)
    return np.ascontiguousarray(left[:, min(patterns, len(refs) // 2) :])
