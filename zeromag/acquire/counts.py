"""Samples as whole counts of a sensor's quantum, when they are exactly that: half the bytes, every bit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray


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
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and what no int32 holds come back as something else
        counts = np.rint(data * per_unit).astype("<i4")
    return counts if (counts * quantum).tobytes() == data.tobytes() else None
