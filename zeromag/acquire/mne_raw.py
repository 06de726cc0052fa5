"""Recordings as MNE Raw objects: ours lazily, what else zeromag reads in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from zeromag.acquire.fif import annotate, to_info, to_raw
from zeromag.acquire.recording_source import contents
from zeromag.acquire.replay import replay


class RawRecording(BaseRaw):  # type: ignore[misc] # MNE ships no types
    """A recording of zeromag (`*.zm.h5`), read when asked; gaps are zeros under `BAD_ACQ_SKIP`."""

    def __init__(self, path: Path) -> None:
        about = contents(path)
        first = int(about.index["first"][0])
        info = to_info(about.sensors, about.rate)
        wall = int(about.index["wall_ns"][0])
        if wall:
            info.set_meas_date(datetime.fromtimestamp(wall * 1e-9, UTC))
        super().__init__(
            info,
            preload=False,
            first_samps=(first,),
            last_samps=(about.stop - 1,),
            filenames=(path,),
            raw_extras=[{"runs": about.runs(), "scale": about.scale, "first": first}],
            orig_format="double",
            verbose="CRITICAL",
        )
        annotate(self, about.events, first)

    def _read_segment_file(
        self,
        data: NDArray[np.float64],
        idx: Any,  # a slice or columns
        fi: int,
        start: int,
        stop: int,
        cals: NDArray[np.float64],
        mult: NDArray[np.float64] | None,
    ) -> None:
        """Fill `data` (channels, samples) with the samples from `start` to `stop`, counted in the file."""
        extras = self._raw_extras[fi]
        begin, end = extras["first"] + start, extras["first"] + stop
        rows = np.zeros((end - begin, len(extras["scale"])))
        with h5py.File(self.filenames[fi], "r") as file:
            for row, after, first in extras["runs"]:
                low, high = max(begin, first), min(end, first + after - row)
                if low < high:
                    piece = file["raw/data"][row + low - first : row + high - first]
                    rows[low - begin : high - begin] = piece * extras["scale"] if piece.dtype == np.int32 else piece
        data[:] = rows.T[idx] * cals if mult is None else mult @ rows.T


def read_raw(path: str | Path) -> Any:  # an mne Raw
    """Return any recording that zeromag reads as an MNE Raw: positions, coil types, bad channels, gaps, events.

    A recording of ours is read lazily; FIF and what else MNE reads is left to MNE; the rest comes in memory.

    Raises
    ------
    InputError
        It cannot be read.
    """
    path = Path(path)
    source = replay(path)  # says in one sentence what is wrong
    if path.name.endswith(".zm.h5"):
        return RawRecording(path)
    if path.suffix.lower() in {".zmj", ".hea", ".cmeg", ".lvm"}:
        return to_raw(source.sensors, source.rate, source.blocks())
    import mne

    return mne.io.read_raw(path, preload=False, verbose="ERROR")
