"""`average-ave.fif`: the averaged beats as MNE Evoked, one per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zeromag.acquire.fif import to_info
from zeromag.mapping.average import Average
from zeromag.mapping.averager import Averager


def write_evoked(path: Path, averages: Sequence[Average]) -> None:
    """Write every class; channels that must not be used are MNE's `bads`."""
    import mne

    mne.write_evokeds(path, [to_evoked(average) for average in averages], overwrite=True, verbose="error")


def to_evoked(average: Average) -> Any:  # an mne.Evoked; MNE ships no types
    """Return one class as `mne.Evoked`, its name as comment."""
    import mne

    info = to_info(average.sensors, average.rate)
    info["bads"] = [name for name, good in zip(average.sensors.names, average.good, strict=True) if not good]
    evoked = mne.EvokedArray(
        average.wave.T, info, tmin=float(average.time[0]), comment=average.kind, nave=average.nave, verbose="error"
    )
    evoked.baseline = Averager().baseline  # each beat has lost its own level there; to subtract again changes no digit
    return evoked
