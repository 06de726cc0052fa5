"""A recording that was written to, or written anew, by another program: read through HDF5, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.layout import FORMAT, events_of_table, sensors_of
from zeromag.acquire.recorded import Recorded
from zeromag.acquire.recording_source import DAMAGED, Contents, blocks_of
from zeromag.block import Block
from zeromag.errors import InputError


def unsealed(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording without a seal; only for the child that reads foreign files."""
    try:
        with h5py.File(path, "r") as file:
            if int(file.attrs["format"]) != FORMAT:
                raise InputError(f"{path} is a recording of format {file.attrs['format']}; this zeromag reads {FORMAT}")
            about = Contents(
                sensors=sensors_of(file["channels"][:], bytes(file.attrs["frame"]).decode()),
                rate=float(file.attrs["rate_hz"]),
                index=file["raw/block_index"][:],
                scale=file["raw/scale"][:],
                events=events_of_table(file["events"][:]),
                status=bytes(file.attrs["status"]).decode(),
                stop=int(file.attrs["stop"]),
                session=json.loads(bytes(file["session"][()])),
            )
    except DAMAGED as error:
        raise InputError(f"{path} is no whole recording of zeromag: recover it from its journal") from error

    def chunks(samples: int) -> Generator[Block, None, None]:
        try:
            with h5py.File(path, "r") as file:

                def rows(begin: int, end: int) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
                    mask = file["raw/mask"][begin:end].astype(np.bool_) if "raw/mask" in file else None
                    return file["raw/data"][begin:end], mask if mask is not None and mask.any() else None

                yield from blocks_of(about, rows, samples)
        except DAMAGED as error:
            raise InputError(f"{path} is damaged: recover it from its journal") from error

    return Recorded(about.sensors, about.rate, chunks, samples=about.stop, block=block, session=about.session)
