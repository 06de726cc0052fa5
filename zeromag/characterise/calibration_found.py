"""What a characterisation found of each sensor, as the calibration that live, acquire and map take."""

from __future__ import annotations

import numpy as np

from zeromag.calibration import Calibration, SensorCalibration
from zeromag.characterise.findings import Characterisation


def calibration_found(found: Characterisation) -> Calibration | None:
    """Return what coils told of the channels they calibrated; None when they told nothing."""
    fit = found.calibration
    if fit is None or not fit.known().any():
        return None
    rows = np.flatnonzero(fit.known()).tolist()
    names = found.record.sensors.names
    mixing = np.eye(len(names)) if found.crosstalk is None else found.crosstalk.mixing
    return {
        names[c]: SensorCalibration(
            gain=float(fit.gain[c]),
            axis=(float(fit.axes[c, 0]), float(fit.axes[c, 1]), float(fit.axes[c, 2])),
            position_m=(float(fit.positions[c, 0]), float(fit.positions[c, 1]), float(fit.positions[c, 2])),
            time_constant_s=float(np.nan_to_num(fit.slowness[c])),
            reads_of={names[k]: float(mixing[c, k]) for k in rows if k != c and mixing[c, k]},
        )
        for c in rows
    }
