"""A PhysioNet record (WFDB, `.hea`) as a source of ECG channels."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np

from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import SensorArray

_VOLTS: Final = {"v": 1.0, "mv": 1e-3, "uv": 1e-6, "µv": 1e-6, "nv": 1e-9}
_PIECE: Final = 1 << 18  # values read in one go
_FAILS: Final = (OSError, ValueError, LookupError, TypeError, AttributeError)


def quiet_wfdb() -> ModuleType:
    """Return the wfdb package, without what it and pandas have to say to each other on import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("wfdb")


def wfdb_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a WFDB record, in volts; leads have no place.

    Raises
    ------
    InputError
        The header or its signal files cannot be read.
    """
    wfdb = quiet_wfdb()
    record = str(path.with_suffix(""))
    try:
        header = wfdb.rdheader(record)
        wfdb.rdrecord(record, sampto=1)  # the signal files are there too
        rate, names, units = float(header.fs), list(header.sig_name), list(header.units)
    except _FAILS as error:
        raise InputError(f"the WFDB record {path} or its signal file cannot be read") from error
    n, length = len(names), int(header.sig_len)
    unique = [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]
    nowhere = np.full((n, 3), np.nan)
    sensors = SensorArray(
        names=tuple(unique), positions=nowhere, axes=nowhere,
        kinds=tuple("ecg" if unit.lower() in _VOLTS else "misc" for unit in units), coils=(0,) * n,
    )  # fmt: skip
    scale = np.array([_VOLTS.get(unit.lower(), 1.0) for unit in units])

    def chunks(samples: int) -> Generator[Block, None, None]:
        step = samples * max(1, _PIECE // (samples * n))  # each call opens and parses everything anew
        for first in range(0, length, step):
            try:
                piece = wfdb.rdrecord(record, sampfrom=first, sampto=min(first + step, length))
            except _FAILS as error:
                raise InputError(f"the signal of {path} cannot be read from sample {first} on") from error
            data = np.ascontiguousarray(piece.p_signal * scale, dtype=np.float64)
            missing = np.isnan(data)
            mask = missing if missing.any() else None
            yield Block(data=data, first=first, rate=rate, sensors=sensors, mask=mask)

    return Recorded(sensors, rate, chunks, samples=length, block=block)
