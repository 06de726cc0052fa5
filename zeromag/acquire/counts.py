"""Samples as whole counts of a sensor's quantum, when they are exactly that: half the bytes, every bit."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray

_CACHED: Final = 16384  # values at once: a fifth of the time where all at once leave the cache


@lru_cache(maxsize=16)
def _counts_per_unit(sensors: SensorArray) -> NDArray[np.float64] | None:
    return 1.0 / sensors.quantum if (sensors.quantum > 0).all() else None


def counts_of(data: NDArray[np.float64], sensors: SensorArray) -> NDArray[np.int32] | None:
    """Return the counts that times the quanta give `data` back bit for bit; None when there are none."""
    per_unit = _counts_per_unit(sensors)
    if per_unit is None or (len(data) > 32 and _counts(data[:1], per_unit, sensors.quantum) is None):
        return None  # one row tells nearly always
    return _counts(data, per_unit, sensors.quantum)


def _counts(
    data: NDArray[np.float64], per_unit: NDArray[np.float64], quantum: NDArray[np.float64]
) -> NDArray[np.int32] | None:
    counts = np.empty(data.shape, dtype="<i4")
    step = max(1, _CACHED // data.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and what no int32 holds come back as something else
        for row in range(0, len(data), step):
            part, into = data[row : row + step], counts[row : row + step]
            scaled = part * per_unit
            into[...] = np.rint(scaled, out=scaled)
            if np.multiply(into, quantum, out=scaled).tobytes() != part.tobytes():
                return None
    return counts
