"""The averaged beat of one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Beats of one class on top of each other, aligned at R, zero on the PR segment."""

    kind: str  # the class: `normal`, `ectopic`, …
    time: NDArray[np.float64]  # (n_times,) s from R
    wave: NDArray[np.float64]  # (n_times, n_channels) T
    noise: NDArray[np.float64]  # (n_channels,) T, standard deviation of `wave`
    nave: int  # beats in it
    sensors: SensorArray
    good: NDArray[np.bool_]  # (n_channels,) channels that can be used
