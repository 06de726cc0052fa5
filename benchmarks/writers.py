"""The journal beside raw writes and HDF5, 512 channels in blocks of ten: `python -m benchmarks.writers [--dir DIR]`.

Each is given the same blocks as fast as it takes them, in turns: the journal as a device's counts, the others in tesla,
as float64. The journal puts a header and a checksum on each block; after each it would survive `kill -9`. h5py appends
float32 block by block, as a script would, and again with a flush after each block, without which a killed script leaves
a file that does not open.
*Taken* counts until the last block is taken, *on disk* until the file is closed and synchronised. MB/s are those of the
samples as float32, 20.5 MB a second; CPU is that of the whole process, in shares of a core at that pace.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import h5py
import numpy as np

from benchmarks.measure import Line, beside, keep
from benchmarks.recorder import array
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.wire import encode_block, encode_description
from zeromag.block import Block

CHANNELS, BLOCK, RATE = 512, 10, 10_000.0
BLOCKS = 4000  # a turn: four seconds of the stream
TURNS = 7
MEGABYTES = 4e-6 * CHANNELS * BLOCK  # of a block as float32

Write = Callable[[int, Block], None]
SENSORS = array(CHANNELS)


@contextmanager
def journal(path: Path) -> Generator[Write]:
    """Write blocks as process A does."""
    with Journal(path, pace=4 * CHANNELS * RATE) as keep_frame:
        keep_frame(encode_description(Description(SENSORS, RATE), Stamp(1, 2, 0)))

        def write(number: int, part: Block) -> None:
            keep_frame(encode_block(part.amended(first=BLOCK * number), Stamp(1, 2, number)))

        yield write


@contextmanager
def appended(path: Path, *, flush: bool = False) -> Generator[Write]:
    """Append each block to an HDF5 data set of float32, in chunks of a thousand samples."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "data", (0, CHANNELS), np.float32, maxshape=(None, CHANNELS), chunks=(1000, CHANNELS)
        )

        def write(number: int, part: Block) -> None:
            data.resize(BLOCK * (number + 1), axis=0)
            data[BLOCK * number :] = part.data
            if flush:
                file.flush()

        yield write
    _synchronise(path)


@contextmanager
def raw(path: Path) -> Generator[Write]:
    """Write float32 and nothing else."""
    with path.open("wb", buffering=0) as file:

        def write(_number: int, part: Block) -> None:
            file.write(part.data.astype(np.float32).tobytes())

        yield write
    _synchronise(path)


def _synchronise(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


WRITERS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {
    "journal": journal,
    "h5py, append per block": appended,
    "h5py, append and flush per block": lambda path: appended(path, flush=True),
    "raw write": raw,
}


def turn(
    open_writer: Callable[[Path], AbstractContextManager[Write]], path: Path, parts: list[Block]
) -> Iterator[float]:
    """Write once, and give the seconds of a block until taken, until on disk, and of CPU until taken."""
    began = time.perf_counter()
    with open_writer(path) as write:
        used, opened = time.process_time(), time.perf_counter()
        for number in range(BLOCKS):
            write(number, parts[number % len(parts)])
        taken, cpu = time.perf_counter() - opened, time.process_time() - used
    yield from (taken / BLOCKS, (time.perf_counter() - began) / BLOCKS, cpu / BLOCKS)
    path.unlink()


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, help="where to write; default: the temporary folder")
    folder = parser.parse_args().dir
    counts = np.random.default_rng(0).integers(-(2**20), 2**20, (50, BLOCK, CHANNELS), dtype=np.int32)
    parts = [Block.of_counts(part, 0, RATE, SENSORS) for part in counts]
    for part in parts:
        _ = part.data  # made now: those who write float32 need not
    told: dict[str, list[list[float]]] = {name: [] for name in WRITERS}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for round_ in range(TURNS + 1):
            for name, open_writer in WRITERS.items():
                seen = list(turn(open_writer, Path(place) / f"{round_}", parts))
                if round_:  # the first warms up
                    told[name].append(seen)
    times = {name: np.array(rows).T for name, rows in told.items()}
    ours = times["journal"]
    lines = [
        Line(f"512 ch in blocks of 10, {name}", MEGABYTES / float(np.median(taken)), "MB/s",
             note=f"on disk {MEGABYTES / float(np.median(on_disk)):.0f} MB/s")
        for name, (taken, on_disk, _) in times.items()
    ]  # fmt: skip
    for k, what in enumerate(("taken", "on disk")):
        for name in [name for name in times if name != "journal"]:
            bar = "8 x, moonshot 12" if not k and name == "h5py, append per block" else ""
            lines.append(beside(f"a block of 512 ch, {what}", ours[k], times[name][k], name, bar))
    for name in [name for name in times if name != "journal"]:
        bar = "7 %, moonshot 4 %" if name == "h5py, append per block" else ""
        share = 100 * RATE / BLOCK
        lines.append(beside("CPU at 20.5 MB/s", ours[2], times[name][2], name, bar, scale=share, unit="% of a core"))
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
