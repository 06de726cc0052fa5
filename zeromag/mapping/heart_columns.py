"""Which channels show the heart."""

from __future__ import annotations

import numpy as np

from zeromag._jit import I64
from zeromag.errors import InputError
from zeromag.sensors import Kind, SensorArray

ORDER: tuple[Kind, ...] = ("mag", "ecg")


def heart_columns(sensors: SensorArray, channel: str = "") -> I64:
    """Return the good magnetometers, or without any the ECG leads, or the one channel that is named.

    Raises
    ------
    InputError
        If there are neither magnetometers nor an ECG, or not the channel that was named.
    """
    if channel:
        if channel not in sensors.names:
            raise InputError(f"beats were wanted on channel {channel}, which the recording does not have")
        return np.array([sensors.names.index(channel)], dtype=np.int64)
    for kind in ORDER:
        columns = sensors.of_kind(kind)
        columns = columns[sensors.usable()[columns]]
        if len(columns):
            return columns
    raise InputError("beats need a good magnetometer or ECG channel, and the recording has none")
