"""FIF out: an MNE Info of the array, and a whole recording in double precision."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from zeromag.acquire.bad_spans import BadSpan, bad_spans
from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.errors import InputError, StorageError
from zeromag.event import Event
from zeromag.sensors import Kind, SensorArray

FRAME_NOTE: Final = "zeromag: positions in the frame '{}'"
SKIP: Final = "BAD_ACQ_SKIP"
MASKED: Final = "BAD_masked"
_TYPES: Final[dict[Kind, str]] = {"mag": "mag", "ref": "ref_meg", "ecg": "ecg", "stim": "stim", "misc": "misc"}


def to_info(sensors: SensorArray, rate: float) -> Any:  # an mne.Info; MNE ships no types
    """Return the array as MNE knows it: places, axes (ez), coil types, kinds, bad channels."""
    import mne

    types = [_TYPES[kind] for kind in sensors.kinds]
    info = mne.create_info(list(sensors.names), rate, types, verbose="CRITICAL")
    for c, kind in enumerate(sensors.kinds):
        if kind in {"mag", "ref"}:
            info["chs"][c]["loc"] = np.concatenate([sensors.positions[c], *triple(sensors.axes[c])])
            info["chs"][c]["coil_type"] = sensors.coils[c]
            info["chs"][c]["coord_frame"] = mne.io.constants.FIFF.FIFFV_COORD_DEVICE
    info["bads"] = [name for name, good in zip(sensors.names, sensors.usable().tolist(), strict=True) if not good]
    info["description"] = FRAME_NOTE.format(sensors.frame)
    return info


def to_raw(sensors: SensorArray, rate: float, blocks: Iterable[Block]) -> Any:
    """Return blocks as an MNE Raw in memory; gaps are zeros under a `BAD_ACQ_SKIP` annotation."""
    import mne

    pieces: list[np.ndarray[Any, np.dtype[np.float64]]] = []
    masks: list[tuple[int, np.ndarray[Any, np.dtype[np.bool_]]]] = []
    events: list[Event] = []
    first = stop = None
    for block in blocks:
        if first is None or stop is None:
            first = stop = block.first
        if block.first > stop:
            pieces.append(np.zeros((block.first - stop, len(sensors))))
            events.append(Event(stop, "gap", block.first - stop))
        pieces.append(block.data)
        if block.mask is not None:
            masks.append((block.first, block.mask))
        events += [event for event in block.events if event.kind != "gap"]
        stop = block.stop
    if first is None:
        raise InputError("there is no block to write")
    raw = mne.io.RawArray(
        np.concatenate(pieces).T, to_info(sensors, rate), first_samp=first, copy=None, verbose="CRITICAL"
    )
    annotate(raw, events, first, bad_spans(masks))
    return raw


def annotate(raw: Any, events: Sequence[Event], first: int, bad: Sequence[BadSpan] = ()) -> None:
    """Write events and the mask of a stream into a Raw that begins with sample `first`.

    A gap becomes `BAD_ACQ_SKIP`, a masked stretch `BAD_masked` with its channels, a mark its own words, a change of the
    session what it changed.
    """
    import mne

    names = raw.ch_names
    notes = [(event.sample, event.samples, _words(event), [event.channel]) for event in events]
    notes += [(span.first, span.samples, MASKED, [names[c] for c in span.columns]) for span in bad]
    rate = raw.info["sfreq"]
    if notes:
        raw.set_annotations(
            mne.Annotations(
                [(sample - first) / rate for sample, _, _, _ in notes],
                [samples / rate for _, samples, _, _ in notes],
                [words for _, _, words, _ in notes],
                ch_names=[[name for name in channels if name in names] for _, _, _, channels in notes],
            )
        )


def _words(event: Event) -> str:
    if event.kind == "gap":
        return SKIP
    if event.kind == "session":
        return f"{event.kind} {event.why}"
    return event.why if event.kind == "mark" and event.why else event.kind


def write_fif(path: Path, source: Source, *, split_naming: Literal["neuromag", "bids"] = "neuromag") -> None:
    """Write everything a source gives as FIF in double precision, bit for bit, piece by piece.

    Beyond 2 GB there are several files, the others named as `split_naming` says.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from zeromag.acquire.mne_raw import RawRecording
    from zeromag.acquire.recording import unwritten, write_recording

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            whole = Path(folder) / "whole.zm.h5"  # an hour must not have to fit into memory
            write_recording(whole, source)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MNE would like the name to end in _raw.fif
                RawRecording(whole).save(
                    path, fmt="double", overwrite=True, split_naming=split_naming, verbose="CRITICAL"
                )
    except StorageError as error:
        raise unwritten(path, error) from error.__cause__
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def triple(ez: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[Any, Any, Any]:
    """Return a right-handed triple whose last is the sensitive axis."""
    if not np.isfinite(ez).all():
        return ez, ez, ez
    helper = np.array([1.0, 0.0, 0.0]) if abs(ez[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    ey = np.cross(ez, helper)
    ey /= np.linalg.norm(ey)
    return np.cross(ey, ez), ey, ez
