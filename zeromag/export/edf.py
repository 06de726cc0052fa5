"""The averaged beats of a results folder as EDF+ or BDF+, which every ECG viewer opens."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from zeromag.errors import InputError, StorageError

AVERAGE: Final = "average-ave.fif"
PICO: Final = 1e12
MICRO: Final = 1e6


def write_edf(path: Path, results: Path, kind: str = "normal") -> None:
    """Write one class's averaged beat: fields in pT, ECG in uV, the mark `R` at its R.

    EDF holds 16 bits over each channel's own range (about 2 fT of a 100 pT beat), a name in `.bdf` 24 bits.
    A raw recording is not offered: 16 bits of a sensor's drift would swallow the heart.

    Raises
    ------
    InputError
        If the folder holds no averaged beat of this class, or edfio is not installed.
    StorageError
        If it cannot be written.
    """
    edfio = _edfio()
    evoked = _average(results, kind)
    bits, signal, whole = (
        (24, edfio.BdfSignal, edfio.Bdf) if path.suffix == ".bdf" else (16, edfio.EdfSignal, edfio.Edf)
    )
    scale, units = zip(*(_unit(name) for name in evoked.get_channel_types()), strict=True)
    rate = float(evoked.info["sfreq"])
    signals = []
    for name, values, unit in zip(evoked.ch_names, evoked.data * np.array(scale)[:, None], units, strict=True):
        reach = float(np.abs(values).max()) or 1.0
        reach = float(f"{reach * 1.001:.4g}")  # EDF keeps eight characters of a range
        signals.append(
            signal(
                values, rate, label=name[:16], physical_dimension=unit, physical_range=(-reach, reach),
                digital_range=(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), prefiltering=f"average of {evoked.nave} beats",
            )
        )  # fmt: skip
    mark = edfio.EdfAnnotation(-float(evoked.times[0]), None, "R")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole(signals, annotations=[mark], data_record_duration=len(evoked.times) / rate).write(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"EDF cannot hold an average at {rate:g} Hz: {str(error).splitlines()[0]}") from error


def _edfio() -> ModuleType:
    try:
        import edfio
    except ImportError as error:
        raise InputError("export --to edf needs edfio: pip install 'zeromag[edf]'") from error
    return edfio


def _average(results: Path, kind: str) -> Any:  # an mne.Evoked; MNE has no types
    import mne

    file = results / AVERAGE
    if not results.is_dir():
        raise InputError(f"EDF holds averaged beats: give the folder that `zeromag map` filled, not {results}")
    if not file.exists():
        raise InputError(f"{results} holds no {AVERAGE}: it is no results folder, or no beat was found")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {evoked.comment: evoked for evoked in mne.read_evokeds(file, verbose="CRITICAL")}
    if kind not in found:
        raise InputError(f"{file} has no {kind} beat, only {', '.join(found)}")
    return found[kind]


def _unit(kind: str) -> tuple[float, str]:
    return (PICO, "pT") if kind in {"mag", "ref_meg"} else (MICRO, "uV") if kind == "ecg" else (1.0, "")
