"""`maps.h5`: the field maps of the averaged beats."""

from __future__ import annotations

from pathlib import Path

from zeromag.mapping.field_map import FieldMap


def write_maps(path: Path, maps: dict[str, FieldMap]) -> None:
    """Write the normal beat at the top level and every class under `/classes/KIND`.

    `x` `y` (m), `time` (s from R), `bz` `bz_sd` (T) and `jx` `jy` (T/m) as [time, y, x], `mask` [y, x].
    """
    import h5py

    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs["zeromag"] = "maps 1"
        file.attrs["axes"] = "x to the patient's left, y to the head, bz positive out of the chest"
        file.attrs["notice"] = "Research use. Not a medical device."
        for kind, field_map in maps.items():
            groups = [file.create_group(f"classes/{kind}")] + ([file] if kind == "normal" else [])
            for group in groups:
                _write(group, field_map)


def _write(group: object, field_map: FieldMap) -> None:
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
    for name, values in arrays.items():
        dataset = group.create_dataset(name, data=values)  # type: ignore[attr-defined]
        dataset.attrs["unit"] = units.get(name, "1")
