"""Recordings as MNE Raw objects: ours lazily, what else zeromag reads in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from zeromag.acquire.bad_spans import bad_spans
from zeromag.acquire.fif import annotate, to_info, to_raw
from zeromag.acquire.recording_source import Samples, contents
from zeromag.acquire.replay import replay
from zeromag.acquire.seal import is_sealed

PIECE: Final = 100_000  # samples of the mask in memory


class RawRecording(BaseRaw):  # type: ignore[misc] # MNE ships no types
    """A recording of zeromag (`*.zm.h5`), read when asked; gaps are `BAD_ACQ_SKIP`, the mask `BAD_masked`."""

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
        annotate(self, about.events, first, bad_spans(_masks(path, about.runs())))

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
        with Samples(Path(self.filenames[fi])) as file:
            for row, after, first in extras["runs"]:
                low, high = max(begin, first), min(end, first + after - row)
                if low < high:
                    piece, _ = file.checked(row + low - first, row + high - first)
                    rows[low - begin : high - begin] = piece * extras["scale"] if piece.dtype == np.int32 else piece
        data[:] = rows.T[idx] * cals if mult is None else mult @ rows.T


def _masks(path: Path, runs: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield the first sample and the mask of every piece, nothing when no sample was masked."""
    with Samples(path) as file:
        for begin, end, first in runs:
            for row in range(begin, end, PIECE):
                mask = file.mask(row, min(row + PIECE, end))
                if mask is None:
                    return
                yield first + row - begin, mask


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
    if path.name.lower().endswith(".zm.h5") and is_sealed(path):
        return RawRecording(path)
    if path.name.lower().endswith((".zm.h5", ".zmj", ".hea", ".cmeg", ".lvm", ".xdf")):
        return to_raw(source.sensors, source.rate, source.blocks())
    import mne

    return mne.io.read_raw(path, preload=False, verbose="ERROR")
