"""Round numbers for scales: colour limits, isoline steps, arrows; and the scale that holds still during a beat."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

STEPS = (1.0, 2.0, 5.0)
LIMITS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
DEPTH = 0.1  # m: the heart below the sensors, for the length of arrows
FAINT = 0.25  # arrows below this share of the strongest are left out
NOISE = 0.08  # and those below this share of the longest: a resting heart has none


def round_up(value: float, mantissas: tuple[float, ...] = STEPS) -> float:
    """Return the smallest 1, 2 or 5 × 10ⁿ that is at least `value`; 1 for nothing or NaN."""
    if not (np.isfinite(value) and value > 0):
        return 1.0
    exponent = int(np.floor(np.log10(value)))
    for factor in (*mantissas, 10.0):
        rounded = float(f"{factor}e{exponent}")
        if rounded >= value * (1 - 1e-9):
            return rounded
    return float(f"1e{exponent + 1}")


def limit_above(value: float) -> float:
    """Return a round colour limit of at least `value` that wastes at most a third of the colours."""
    return round_up(value, LIMITS)


def isoline_step(limit: float, lines: int = 14) -> float:
    """Return a 1-2-5 step that puts at most `lines` isolines between −limit and +limit."""
    return round_up(2 * limit / lines)


def arrow_sizes(
    jx: NDArray[np.floating], jy: NDArray[np.floating], limit: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pseudo-currents (T/m) as parts of the longest arrow, on the scale of a map whose colours end at ±`limit`.

    What is too weak to be told from noise, or beside the strongest arrow, or is NaN, gets 0. The longest arrow
    belongs to 2.6 `limit`/h: a flat dipole at depth h makes C·y/(y² + h²)^1.5, at its poles ±0.385 C/h², between
    them a slope of C/h³.
    """
    size = np.nan_to_num(np.hypot(jx, jy))
    full = 2.6 * limit / DEPTH
    shown = size > max(FAINT * float(size.max(initial=0.0)), NOISE * full)
    longest = np.maximum(size, full)
    return np.where(shown, jx, 0.0) / longest, np.where(shown, jy, 0.0) / longest


class BeatScale:
    """A symmetric colour limit that changes only when a beat has been seen, so that one beat has one scale.

    Before the first beat it can only grow. Afterwards it is the median of the last five beats' extremes,
    rounded up.
    """

    def __init__(self) -> None:
        self.limit = 0.0  # T; 0: nothing seen yet
        self._running = 0.0
        self._extremes: deque[float] = deque(maxlen=5)

    def see(self, extreme: float) -> None:
        """Take the largest |Bz| of one map."""
        if not np.isfinite(extreme):
            return
        self._running = max(self._running, extreme)
        if not self._extremes:
            self.limit = limit_above(self._running) if self._running > 0 else 0.0

    def hold(self, extreme: float) -> None:
        """Take the largest |Bz| that is known of all beats; maps do not change this scale."""
        self._extremes = deque([extreme], maxlen=5)
        self.limit = limit_above(extreme)

    def beat(self) -> None:
        """Take a beat: the scale of the coming one is settled here."""
        if self._running > 0:
            self._extremes.append(self._running)
            self.limit = limit_above(float(np.median(self._extremes)))
        self._running = 0.0
