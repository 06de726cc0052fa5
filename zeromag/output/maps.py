"""`maps.h5`: the field maps of the averaged beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.h5_out import new_h5
from zeromag.mapping.average import MAIN
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.map_components import Components

if TYPE_CHECKING:
    import h5py

OTHERS = ("bx", "by", "bx_sd", "by_sd")


def write_maps(path: Path, maps: dict[str, FieldMap], others: Components | None = None) -> None:
    """Write every class under `/classes/KIND`, and the scan's own heart (normal, or fetal) at the top level too.

    `x` `y` (m), `time` (s from R), `bz` `bz_sd` (T) and `jx` `jy` (T/m) as [time, y, x] float32, `mask` [y, x];
    where the array is triaxial also `bx` `by` [time, y, x] and `bx_sd` `by_sd` [y, x] (T) of the scan's own heart.
    """
    with new_h5(path) as file:
        file.attrs["zeromag"] = "maps 1"
        file.attrs["axes"] = "x to the patient's left, y to the head, bz positive out of the chest"
        file.attrs["notice"] = "Research use. Not a medical device."
        for kind, field_map in maps.items():
            group = file.create_group(f"classes/{kind}")
            _write(group, field_map)
            if kind in MAIN:
                if others is not None:
                    _store(group, {name: getattr(others, name) for name in OTHERS}, dict.fromkeys(OTHERS, "T"))
                for name in group:
                    file[name] = group[name]


def _write(group: h5py.Group, field_map: FieldMap) -> None:
    arrays = {
        "x": field_map.grid.x,
        "y": field_map.grid.y,
        "mask": field_map.grid.mask,
        "time": field_map.time,
        "bz": field_map.bz,
        "bz_sd": field_map.bz_sd,
        "jx": field_map.jx,
        "jy": field_map.jy,
    }
    units = {"x": "m", "y": "m", "time": "s", "bz": "T", "bz_sd": "T", "jx": "T/m", "jy": "T/m"}
    _store(group, arrays, units)


def _store(group: h5py.Group, arrays: dict[str, NDArray[Any]], units: dict[str, str]) -> None:
    for name, values in arrays.items():
        stored = values.astype(np.float32) if values.ndim == 3 else values  # 1e-7 of the largest; half the file
        dataset = group.create_dataset(name, data=stored, compression="gzip", compression_opts=1, shuffle=True)
        dataset.attrs["unit"] = units.get(name, "1")
