"""Point magnetometers anywhere, as MNE describes them: what its forward models are asked with."""

from __future__ import annotations

import mne
import numpy as np
from numpy.typing import NDArray


def point_magnetometers(points: NDArray[np.float64], axes: NDArray[np.float64]) -> mne.Info:
    """One at each of `points` (n, 3) m along its axis (n, 3), head and device frame the same."""
    info = mne.create_info([f"S{k}" for k in range(len(points))], 1000.0, "mag")
    with info._unlock():
        info["dev_head_t"] = mne.transforms.Transform("meg", "head")
    for channel, point, axis in zip(info["chs"], points, axes, strict=True):
        across = np.linalg.svd(axis[None])[2][1:]
        if np.linalg.det(np.stack([*across, axis])) < 0:
            across = across[::-1]
        channel["loc"][:] = np.concatenate([point, *across, axis])
        channel["coil_type"] = mne.io.constants.FIFF.FIFFV_COIL_POINT_MAGNETOMETER
        channel["coord_frame"] = mne.io.constants.FIFF.FIFFV_COORD_DEVICE
    return info
