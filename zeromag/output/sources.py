"""`sources.h5` and `loop.csv`: the averaged beat as activity in the heart, and its heart vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zeromag.acquire.h5_out import new_h5
from zeromag.mapping.heart_loop import HeartLoop
from zeromag.mapping.source_image import SourceImage

COLUMNS = "time_s,qx_Am,qy_Am,qz_Am"


def write_sources(path: Path, image: SourceImage, conductor: str) -> None:
    """Write `places` (n, 3) m, `time` s from R, `strength` [time, place] and `moment` [time, place, 3] A·m."""
    with new_h5(path) as file:
        file.attrs["zeromag"] = "sources 1"
        file.attrs["method"] = image.method
        file.attrs["conductor"] = conductor
        file.attrs["axes"] = "the array's own frame: x to the patient's left, y to the head, z out of the chest"
        file.attrs["notice"] = "Research use. Not a medical device."
        arrays = {"places": image.places, "time": image.time, "strength": image.strength, "moment": image.moments}
        units = {"places": "m", "time": "s", "strength": image.unit, "moment": "A·m"}
        for name, values in arrays.items():
            stored = values.astype(np.float32) if name in ("strength", "moment") else values
            dataset = file.create_dataset(name, data=stored, compression="gzip", compression_opts=1, shuffle=True)
            dataset.attrs["unit"] = units[name]


def write_loop(path: Path, loop: HeartLoop) -> None:
    """Write one row an instant; the first lines say where the dipole stays and how sure each component is."""
    place = ", ".join(f"{value:.4f}" for value in loop.place)
    sd = ", ".join(f"{value:.3g}" for value in loop.sd)
    rows = [f"# place_m {place}; sd_Am {sd}; explained {loop.explained:.4f}", COLUMNS]
    rows += [
        ",".join(f"{number:.9g}" for number in (time, *moment))
        for time, moment in zip(loop.time.tolist(), loop.moment.tolist(), strict=True)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
