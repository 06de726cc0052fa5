"""What an LSL stream's metadata say of its channels, live or in an XDF file: an array, and a factor to SI units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zeromag.errors import InputError
from zeromag.sensors import POINT_MAGNETOMETER, Kind, SensorArray

LOC: Final = [f"{row}{axis}" for row in ("R0", "Ex", "Ey", "Ez") for axis in "xyz"]
FACTS: Final = ("label", "type", "unit", "coil_type", "range_cal")
_KINDS: Final[dict[str, Kind]] = {"mag": "mag", "ref_meg": "ref", "ecg": "ecg", "stim": "stim"}
_UNITS: Final = {"femtotesla": 1e-15, "picotesla": 1e-12, "nanotesla": 1e-9, "microvolts": 1e-6, "millivolts": 1e-3}


def described(
    name: str, count: int, channels: Sequence[Mapping[str, str]], *, whole: bool
) -> tuple[SensorArray, NDArray[np.float64]]:
    """Return the array that a stream's metadata describe, and what its values are multiplied with.

    Parameters
    ----------
    count
        How many channels the stream has; what `channels` does not tell of has no place.
    channels
        Of each channel the words of `FACTS` and `LOC` that are there, as mne-lsl writes them.
    whole
        Whether the values are whole counts.

    Raises
    ------
    InputError
        If no magnetometer has a place.
    """
    names, kinds, coils = [f"ch{c + 1}" for c in range(count)], ["misc"] * count, [POINT_MAGNETOMETER] * count
    loc, scale = np.full((count, 12), np.nan), np.ones(count)
    for c, told in enumerate(channels[:count]):
        names[c] = told.get("label") or names[c]
        kinds[c] = _KINDS.get(told.get("type", "").lower(), "misc")
        coils[c] = int(_number(told.get("coil_type", ""), POINT_MAGNETOMETER))
        unit = told.get("unit", "")
        by = _number(unit, np.nan)
        scale[c] = _UNITS.get(unit.lower(), 1.0) if np.isnan(by) else 10.0**by
        scale[c] *= _number(told.get("range_cal", ""), 1.0)
        loc[c] = [_number(told.get(key, ""), np.nan) for key in LOC]
    positions, axes = loc[:, :3], loc[:, 9:]
    placed = np.isfinite(positions).all(axis=1) & np.isfinite(axes).all(axis=1) & (np.abs(axes).sum(axis=1) > 0)
    if not any(kind == "mag" and there for kind, there in zip(kinds, placed.tolist(), strict=True)):
        raise InputError(f"the LSL stream '{name}' says of no magnetometer where it is (channels/channel/loc)")
    kept: tuple[Kind, ...] = tuple(
        "misc" if kind == "mag" and not there else kind  # type: ignore[misc]
        for kind, there in zip(kinds, placed.tolist(), strict=True)
    )
    quantum = scale if whole else np.zeros(count)
    return SensorArray(tuple(names), positions, axes, kept, quantum=quantum, coils=tuple(coils), frame="device"), scale


def _number(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default
