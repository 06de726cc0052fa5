"""A recording as CSV, exact to the bit, with the sensors' places beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zeromag.acquire.source import Source
from zeromag.errors import StorageError
from zeromag.sensors import UNITS, SensorArray


def write_csv(path: Path, source: Source) -> None:
    """Write `sample`, `time_s` and one column a channel (T; ECG: V), and the array to `NAME.channels.csv`.

    A missing stretch takes no rows: `sample` jumps. A sample that must not be used is empty. Each number is
    the shortest decimal that reads back as the same float64.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    begun = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            begun = path.is_file()  # and no device
            file.write(",".join(["sample", "time_s", *(_quoted(name) for name in source.sensors.names)]) + "\n")
            first: int | None = None
            for block in source.blocks():
                first = block.first if first is None else first
                bad = block.bad().tolist()
                for row, values in enumerate(block.data.tolist()):
                    sample = block.first + row
                    cells = ["" if no else repr(value) for value, no in zip(values, bad[row], strict=True)]
                    file.write(f"{sample},{(sample - first) / block.rate!r},{','.join(cells)}\n")
        path.with_suffix(".channels.csv").write_text(_array(source.sensors), encoding="utf-8")
    except OSError as error:
        if begun:
            path.unlink()  # half a recording reads like a whole one
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def _array(sensors: SensorArray) -> str:
    lines = ["name,kind,unit,status,x_m,y_m,z_m,axis_x,axis_y,axis_z,coil"]
    for c, name in enumerate(sensors.names):
        numbers = np.concatenate([sensors.positions[c], sensors.axes[c]])
        place = [repr(value) if np.isfinite(value) else "" for value in numbers.tolist()]
        kind = sensors.kinds[c]
        lines.append(",".join([_quoted(name), kind, UNITS[kind], sensors.status[c], *place, str(sensors.coils[c])]))
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\n') else name
