"""The device's clock against this machine's, out of when blocks arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag.characterise.measured import Measured, unknown
from zeromag.characterise.record import Record

FEWEST = 50  # blocks


@dataclass(frozen=True, slots=True)
class Timing:
    """How a stream keeps time."""

    drift: Measured  # ppm, device faster than host is positive
    late: Measured  # ms, the 99th percentile of how long a block came after the fastest


def timing(record: Record) -> Timing | None:
    """Return clock drift and lateness; None where no arrival was written down.

    Blocks come late, never early: the line below all arrivals is the clock. It is drawn through the earliest
    block of each of ten stretches; its error from their scatter.
    """
    arrivals = record.arrivals
    if len(arrivals) < FEWEST:
        return None
    due = (arrivals[:, 0] - arrivals[0, 0]) / record.rate
    late = (arrivals[:, 1] - arrivals[0, 1]) * 1e-9 - due
    stretches = np.array_split(np.arange(len(due)), 10)
    first = np.array([part[int(np.argmin(late[part]))] for part in stretches])
    x, y = due[first], late[first]
    away = x - x.mean()
    slope = float(away @ (y - y.mean()) / (away @ away))
    rest = y - y.mean() - slope * away
    from scipy.stats import t

    error = float(np.sqrt(rest @ rest / 8 / (away @ away)) * t.ppf(0.975, 8))
    # a clock that is fast delivers early: lateness falls
    value, low, high = (-1e6 * each for each in (slope, slope + error, slope - error))
    waiting = late - slope * due
    waiting -= waiting.min()
    return Timing(
        Measured(value, low, high, "ppm", "scatter of the earliest blocks"),
        unknown(float(1e3 * np.percentile(waiting, 99)), "ms"),
    )
