"""Where R lies in a beat: the highest field of what was received, not of the band it was found in."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.candidate import Group
from zeromag.mapping.history import History

RAW_BEFORE, RAW_AFTER = 0.25, 0.05  # s around the envelope's peak in which R is looked for


def r_after(raw: History, group: Group, rate: float) -> float:
    """Return how far R lies from where the template fits: the highest field of the beats' mean; samples."""
    before, after = round(RAW_BEFORE * rate), round(RAW_AFTER * rate)
    waves: list[F64] = []
    for one, found in group:
        anchor = one.peak.at + round(found.shift)
        if raw.holds(anchor - before, anchor + after):
            waves.append(raw.take(anchor - before, anchor + after).copy())
    if not waves:
        return -0.07 * rate
    mean = np.mean(waves, axis=0)
    seen = np.isfinite(mean).all(axis=0)
    mean = mean[:, seen] - np.median(mean[:, seen], axis=0)
    field = np.sqrt(np.mean(mean**2, axis=1))
    # R lies within the QRS: 20 to 150 ms before the envelope's peak
    low, high = before - round(0.15 * rate), before - round(0.02 * rate)
    best = low + int(np.argmax(field[low:high]))
    left, middle, right = field[best - 1 : best + 2].tolist()
    curve = left - 2 * middle + right
    return best + (0.5 * (left - right) / curve if curve < 0 else 0.0) - before
