"""The journal beside raw writes and HDF5, 512 channels in blocks of ten: `python -m benchmarks.writers [--dir DIR]`.

Each writes the same float64 blocks as fast as it goes, in turns; the clock is the process's CPU and the wall's. The
journal puts a header and a checksum on each block and keeps counts as int32; h5py appends block by block, as a script
would.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import beside, keep
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.block import Block
from zeromag.sensors import SensorArray

CHANNELS, BLOCK, RATE = 512, 10, 10_000.0
BLOCKS = 1000  # a turn: one second
TURNS = 7


def journal(path: Path, sensors: SensorArray, parts: list[NDArray[np.float64]]) -> None:
    """Write blocks as process A does."""
    with Journal(path) as write:
        write(encode_description(Description(sensors, RATE), Stamp(1, 2, 0)))
        for number in range(BLOCKS):
            block = Block(parts[number % len(parts)], BLOCK * number, RATE, sensors)
            write(encode_block(block, Stamp(1, 2, number)))
        write(encode_end(End(BLOCK * BLOCKS), Stamp(1, 2, BLOCKS)), last=True)


def appended(path: Path, parts: list[NDArray[np.float64]]) -> None:
    """Append each block to an HDF5 data set of float32, in chunks of a thousand samples."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "data", (0, CHANNELS), np.float32, maxshape=(None, CHANNELS), chunks=(1000, CHANNELS)
        )
        for number in range(BLOCKS):
            data.resize(BLOCK * (number + 1), axis=0)
            data[BLOCK * number :] = parts[number % len(parts)]


def raw(path: Path, parts: list[NDArray[np.float64]]) -> None:
    """Write float32 and nothing else."""
    with path.open("wb", buffering=0) as file:
        for number in range(BLOCKS):
            file.write(parts[number % len(parts)].astype(np.float32).tobytes())


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, help="where to write; default: the temporary folder")
    folder = parser.parse_args().dir
    sensors = SensorArray(
        tuple(f"S{c}" for c in range(CHANNELS)),
        np.zeros((CHANNELS, 3)),
        np.tile([0.0, 0.0, 1.0], (CHANNELS, 1)),
        quantum=np.full(CHANNELS, 1e-14),
    )
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (50, BLOCK, CHANNELS))
    parts = [part * sensors.quantum for part in counts]
    writers: dict[str, Callable[[Path], None]] = {
        "journal": lambda path: journal(path, sensors, parts),
        "h5py, append per block": lambda path: appended(path, parts),
        "raw write": lambda path: raw(path, parts),
    }
    cpu: dict[str, list[float]] = {name: [] for name in writers}
    wall: dict[str, list[float]] = {name: [] for name in writers}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for turn in range(TURNS + 1):
            for name, write in writers.items():
                path = Path(place) / f"{turn}"
                begin, began = time.process_time(), time.perf_counter()
                write(path)
                if turn:  # the first warms up
                    cpu[name].append(time.process_time() - begin)
                    wall[name].append(time.perf_counter() - began)
                path.unlink()
    lines = []
    for name, bar in (("h5py, append per block", "8 x, moonshot 12"), ("raw write", "")):
        ours, theirs = np.array(wall["journal"]), np.array(wall[name])
        lines.append(beside("a second of 512 ch x 10 kHz, on the wall", ours, theirs, name, bar, scale=1e3, unit="ms"))
        lines.append(
            beside(
                "the same, of a core",
                np.array(cpu["journal"]),
                np.array(cpu[name]),
                name,
                "7 %, moonshot 4 %" if not bar else "",
                scale=100.0,
                unit="% of a core",
            )
        )
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
