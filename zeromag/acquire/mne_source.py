"""Anything MNE reads as a source; MNE's own words never reach the user."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.fif_tags import check_fif
from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.event import Event
from zeromag.sensors import Kind, SensorArray

SKIP: Final = "BAD_ACQ_SKIP"
FRAME_NOTE: Final = "zeromag: positions in the frame '{}'"
# Coil codes of MNE that measure a difference of fields: VectorView planar, CTF, KIT, Magnes, KRISS, artemis, BabyMEG
_GRADIOMETERS: Final = frozenset(
    {2, 3011, 3012, 3013, 3014, 4002, 4004, 4005, 5001, 5003, 5004, 6001, 7002, 9001, 9101}
)
_WIDEST: Final = 3.0  # m; no array around a body is wider, so larger numbers are millimetres
_MNE_FAILS: Final = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, EOFError, NotImplementedError,
    ImportError, AssertionError, MemoryError, ArithmeticError, struct.error,
)  # fmt: skip
_OURS: Final = re.compile(r"(trigger/-?\d+|(source|recording|channel|beat)/[a-z]+)")


def mne_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording that `mne.io.read_raw` can open.

    Skipped stretches (`BAD_ACQ_SKIP`) become gaps, other `BAD…` annotations the mask, the rest marks.

    Raises
    ------
    InputError
        It cannot be read, was cut off, has no magnetometer, or places in millimetres.
    """
    return raw_source(_opened(path), path, block=block)


def raw_source(raw: Any, path: Path, *, block: int = 10) -> Recorded:
    """Return the source over an `mne.io.Raw`, in memory or not; `path` is what its errors call it.

    Raises
    ------
    InputError
        It has no magnetometer, or places in millimetres.
    """
    sensors = _sensors(raw, path)
    rate = float(raw.info["sfreq"])
    gaps, bad, marks = _annotated(raw, sensors, rate)

    def chunks(samples: int) -> Generator[Block, None, None]:
        for begin, end in _between(gaps, int(raw.n_times)):
            for first in range(begin, end, samples):
                span = first, min(first + samples, end)
                here = tuple(mark for mark in marks if first <= mark.sample < span[1])
                yield Block(_rows(raw, path, span), first, rate, sensors, _masked(span, len(sensors), bad), here)

    return Recorded(sensors, rate, chunks, samples=int(raw.n_times), block=block)


Span = tuple[int, int]
Bad = tuple[int, int, tuple[int, ...]]  # start, stop, columns (empty: all)


def _opened(path: Path) -> Any:  # an mne Raw; MNE has no types
    import mne

    if path.name.lower().endswith(".fif"):
        check_fif(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mne.io.read_raw(path, preload=False, verbose="CRITICAL")
    except _MNE_FAILS as error:
        if "Got unsupported file type" in str(error) or "supported" in str(error).lower():
            raise InputError(
                f"{path} is of no kind zeromag reads: FIF and what else MNE reads, .hea, .cMEG, .lvm, .xdf, "
                ".zm.h5, .zmj"
            ) from error
        if isinstance(error, TypeError) and "read_raw_" in str(error):  # FieldTrip's .mat wants an Info beside it
            raise InputError(
                f"{path} does not say all that MNE needs to read it: read it in MNE-Python, and save it as FIF"
            ) from error
        reason = re.split(r"(?<=[.!?])\s|\n", str(error).strip().replace(str(path), "it"))[0].rstrip(".")
        reason = reason or "its content is not what its name says"
        raise InputError(f"{path} cannot be read as a recording: {reason}") from error


def _sensors(raw: Any, path: Path) -> SensorArray:
    types = raw.get_channel_types()
    chs = raw.info["chs"]
    locs = np.array([ch["loc"][:12] for ch in chs], dtype=np.float64)
    coils = [int(ch["coil_type"]) & 0xFFFF for ch in chs]
    placed = (
        np.isfinite(locs).all(axis=1) & (np.abs(locs[:, 9:]).sum(axis=1) > 0) & (np.abs(locs[:, :3]).sum(axis=1) > 0)
    )
    # where no magnetometer has a place there are beats, though no map; where some have, the others are of no use to it
    some = any(kind == "mag" and place for kind, place in zip(types, placed.tolist(), strict=True))
    wanted = placed if some else np.ones_like(placed)
    kinds = [_kind(kind, coil, want) for kind, coil, want in zip(types, coils, wanted.tolist(), strict=True)]
    _check_magnetometers(path, types, coils, kinds)
    used = np.array([kind in {"mag", "ref"} for kind in kinds]) & placed
    extent = np.ptp(locs[used, :3], axis=0).max() if used.any() else 0.0
    if extent > _WIDEST:
        raise InputError(
            f"the sensors of {path} lie up to {extent:.0f} m apart: its positions are in millimetres, not metres; "
            "divide them by 1000"
        )
    nowhere = np.where(used[:, None], locs, np.nan)
    note = re.search(r"frame '([^']*)'", raw.info.get("description") or "")
    return SensorArray(
        names=tuple(raw.ch_names), positions=nowhere[:, :3], axes=nowhere[:, 9:], kinds=tuple(kinds),
        status=tuple("bad" if name in raw.info["bads"] else "good" for name in raw.ch_names), coils=tuple(coils),
        frame=note.group(1) if note else "device",
    )  # fmt: skip


def _kind(kind: str, coil: int, placed: bool) -> Kind:
    if kind == "mag" and coil not in _GRADIOMETERS and placed:
        return "mag"
    if kind == "ref_meg" and coil not in _GRADIOMETERS:
        return "ref"
    return "ecg" if kind == "ecg" else "stim" if kind == "stim" else "misc"


def _check_magnetometers(path: Path, types: list[str], coils: list[int], kinds: list[Kind]) -> None:
    if "mag" in kinds or ("ecg" in kinds and not {"mag", "grad"} & set(types)):
        return
    magnetic = [coil for kind, coil in zip(types, coils, strict=True) if kind in {"mag", "grad"}]
    if not magnetic:
        raise InputError(f"{path} has no magnetometer and no ECG channel among its {len(kinds)} channels")
    raise InputError(f"{path} holds {len(magnetic)} gradiometers and no magnetometer; field maps need magnetometers")


def _annotated(raw: Any, sensors: SensorArray, rate: float) -> tuple[list[Span], list[Bad], list[Event]]:
    """Return gaps, bad stretches and marks, in samples from the first one of the file."""
    gaps: list[Span] = []
    bad: list[Bad] = []
    marks: list[Event] = []
    offset = 0.0 if raw.info["meas_date"] is None else float(raw.first_time)
    column = {name: c for c, name in enumerate(sensors.names)}
    for note in raw.annotations:
        start = round((float(note["onset"]) - offset) * rate)
        stop = round((float(note["onset"]) - offset + float(note["duration"])) * rate)
        text = str(note["description"])
        if text.upper() == SKIP:
            gaps.append((start, stop))
        elif text.upper().startswith("BAD"):
            channels = tuple(column[name] for name in note.get("ch_names", ()) if name in column)
            bad.append((start, stop, channels))
        else:
            marks.append(_event(text, start, max(0, stop - start), tuple(note.get("ch_names") or ())))
    return sorted(gaps), bad, marks


def _event(text: str, sample: int, samples: int, channels: tuple[str, ...]) -> Event:
    """Return what an annotation says: what `annotate` wrote is the same event again, the rest a mark."""
    kind, _, why = text.partition(" ")
    if kind == "session":
        return Event(sample, kind, samples, why=why)
    if _OURS.fullmatch(text):
        return Event(sample, text, samples, channel=channels[0] if channels else "")
    return Event(sample, "mark", samples, why=text)


def _between(gaps: list[Span], samples: int) -> Generator[Span, None, None]:
    at = 0
    for start, stop in gaps:
        if at < min(start, samples):
            yield at, min(start, samples)
        at = max(at, stop)
    if at < samples:
        yield at, samples


def _rows(raw: Any, path: Path, span: Span) -> NDArray[np.float64]:
    """Return the samples of one stretch: (n_samples, n_channels)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = raw.get_data(start=span[0], stop=span[1], verbose="CRITICAL")
    except _MNE_FAILS as error:
        raise InputError(f"{path} cannot be read from sample {span[0]} on: it is damaged or was cut off") from error
    return np.ascontiguousarray(rows.T, dtype=np.float64)


def _masked(span: Span, n: int, bad: list[Bad]) -> NDArray[np.bool_] | None:
    """Return where a stretch is annotated as bad, None when nowhere."""
    first, stop = span
    mask = None
    for begin, end, columns in bad:
        if begin < stop and end > first:
            mask = np.zeros((stop - first, n), dtype=np.bool_) if mask is None else mask
            mask[max(begin - first, 0) : end - first, list(columns) if columns else slice(None)] = True
    return mask
