"""The calibration of an array's sensors, as known coils told it: a file, and a part of the session."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import msgspec

from zeromag.errors import InputError

FORMAT: Final = "zeromag calibration 1"


class SensorCalibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sensor as it is: it reads gain · axis·B(position), late by a time constant, and a part of its neighbours."""

    gain: float
    axis: tuple[float, float, float]  # unit vector
    position_m: tuple[float, float, float]
    time_constant_s: float = 0.0  # 0: not measured
    reads_of: dict[str, float] = {}  # other sensor: the part of its reading that comes through here


Calibration = dict[str, SensorCalibration]  # by channel name


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    sensors: Calibration


def calibration_json(calibration: Calibration) -> str:
    """Return the file's text: SI units, every number in full."""
    text = msgspec.json.encode(_File(FORMAT, calibration))
    return msgspec.json.format(text, indent=1).decode() + "\n"


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises
    ------
    InputError
        If the file cannot be read or is none.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path} cannot be read as a calibration, which `zeromag bench array` writes (calibration.json): {error}"
        ) from error
    if found.format != FORMAT:
        raise InputError(f'{path} is no calibration that this zeromag reads: its format is not "{FORMAT}"')
    check_calibration(found.sensors, str(path))
    return found.sensors


def check_calibration(calibration: Calibration, where: str) -> None:
    """Check what types cannot say.

    Raises
    ------
    InputError
        If there is no sensor, a gain of 0, an axis that is no unit vector, or a neighbour that is not calibrated.
    """
    if not calibration:
        raise InputError(f"{where}: a calibration needs at least one sensor, and has none")
    for name, sensor in calibration.items():
        numbers = (sensor.gain, *sensor.axis, *sensor.position_m, sensor.time_constant_s, *sensor.reads_of.values())
        if not all(map(math.isfinite, numbers)) or sensor.gain == 0 or sensor.time_constant_s < 0:
            raise InputError(f"{where}: {name} needs finite numbers, a gain that is not 0 and a time constant from 0 s")
        if abs(math.hypot(*sensor.axis) - 1) > 1e-3:
            raise InputError(f"{where}: the axis of {name} must be of length 1, got {math.hypot(*sensor.axis):.4g}")
        if unknown := sorted(set(sensor.reads_of) - set(calibration)):
            raise InputError(f"{where}: {name} reads of {unknown[0]}, which is not among the calibrated sensors")
