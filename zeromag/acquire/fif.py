"""FIF out: an MNE Info of the array, and a whole recording in double precision."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.errors import InputError, StorageError
from zeromag.event import Event
from zeromag.sensors import Kind, SensorArray

FRAME_NOTE: Final = "zeromag: positions in the frame '{}'"
SKIP: Final = "BAD_ACQ_SKIP"
_TYPES: Final[dict[Kind, str]] = {"mag": "mag", "ref": "ref_meg", "ecg": "ecg", "stim": "stim", "misc": "misc"}


def to_info(sensors: SensorArray, rate: float) -> Any:  # an mne.Info; MNE ships no types
    """Return the array as MNE knows it: places, axes (ez), coil types, kinds, bad channels."""
    import mne

    types = [_TYPES[kind] for kind in sensors.kinds]
    info = mne.create_info(list(sensors.names), rate, types, verbose="CRITICAL")
    for c, kind in enumerate(sensors.kinds):
        if kind in {"mag", "ref"}:
            info["chs"][c]["loc"] = np.concatenate([sensors.positions[c], *_axes(sensors.axes[c])])
            info["chs"][c]["coil_type"] = sensors.coils[c]
            info["chs"][c]["coord_frame"] = mne.io.constants.FIFF.FIFFV_COORD_DEVICE
    info["bads"] = [name for name, good in zip(sensors.names, sensors.usable().tolist(), strict=True) if not good]
    info["description"] = FRAME_NOTE.format(sensors.frame)
    return info


def to_raw(sensors: SensorArray, rate: float, blocks: Iterable[Block]) -> Any:
    """Return blocks as an MNE Raw in memory; gaps are zeros under a `BAD_ACQ_SKIP` annotation."""
    import mne

    pieces: list[np.ndarray[Any, np.dtype[np.float64]]] = []
    events: list[Event] = []
    first = stop = None
    for block in blocks:
        if first is None or stop is None:
            first = stop = block.first
        if block.first > stop:
            pieces.append(np.zeros((block.first - stop, len(sensors))))
            events.append(Event(stop, "gap", block.first - stop))
        pieces.append(block.data)
        events += [event for event in block.events if event.kind != "gap"]
        stop = block.stop
    if first is None:
        raise InputError("there is no block to write")
    raw = mne.io.RawArray(
        np.concatenate(pieces).T, to_info(sensors, rate), first_samp=first, copy=None, verbose="CRITICAL"
    )
    annotate(raw, events, first)
    return raw


def annotate(raw: Any, events: Sequence[Event], first: int) -> None:
    """Write events of a stream into a Raw that begins with sample `first`; a gap becomes `BAD_ACQ_SKIP`."""
    import mne

    rate = raw.info["sfreq"]
    if events:
        raw.set_annotations(
            mne.Annotations(
                [(event.sample - first) / rate for event in events],
                [event.samples / rate for event in events],
                [SKIP if event.kind == "gap" else event.kind for event in events],
                ch_names=[[event.channel] if event.channel in raw.ch_names else [] for event in events],
            )
        )


def write_fif(path: Path, source: Source) -> None:
    """Write everything a source gives as FIF in double precision, bit for bit, piece by piece.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from zeromag.acquire.mne_raw import RawRecording
    from zeromag.acquire.recording import write_recording

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            whole = Path(folder) / "whole.zm.h5"  # an hour must not have to fit into memory
            write_recording(whole, source)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MNE would like the name to end in _raw.fif
                RawRecording(whole).save(path, fmt="double", overwrite=True, verbose="CRITICAL")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def _axes(ez: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[Any, Any, Any]:
    """Return a right-handed triple whose last is the sensitive axis."""
    if not np.isfinite(ez).all():
        return ez, ez, ez
    helper = np.array([1.0, 0.0, 0.0]) if abs(ez[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    ey = np.cross(ez, helper)
    ey /= np.linalg.norm(ey)
    return np.cross(ey, ez), ey, ez
