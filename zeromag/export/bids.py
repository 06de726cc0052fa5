"""A recording as one subject of a BIDS dataset: datatype `meg`, said to be a heart wherever a field allows."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from zeromag import __version__
from zeromag.acquire.fif import SKIP, write_fif
from zeromag.acquire.source import Source
from zeromag.errors import InputError, StorageError
from zeromag.sensors import Kind, SensorArray

BIDS: Final = "1.10.0"
HEART: Final = (
    "Magnetocardiography (MCG): the magnetic field of the heart over the chest; not a recording of the brain."
)
FRAME: Final = (
    "x to the patient's left, y to the patient's head, z out of the chest towards the sensors; the origin is the "
    "sensor array's own (frame '{}'). There is no head, no fiducial point and no anatomical landmark."
)
_KINDS: Final[dict[Kind, tuple[str, str, str]]] = {
    "mag": ("MEGMAG", "T", "magnetometer over the chest"),
    "ref": ("MEGREFMAG", "T", "reference magnetometer away from the heart"),
    "ecg": ("ECG", "V", "electrocardiogram"),
    "stim": ("TRIG", "n/a", "trigger"),
    "misc": ("MISC", "n/a", "other"),
}


def write_bids(root: Path, source: Source, *, subject: str, task: str = "rest", line: float | None = None) -> Path:
    """Add a recording to the dataset at `root`, made when it is not there, and return its FIF.

    Parameters
    ----------
    subject, task
        Letters and digits, as BIDS wants them; a code, never a name.
    line
        Mains in Hz; None: not known.

    Raises
    ------
    InputError
        If a label is none, or the dataset has this recording already.
    StorageError
        If it cannot be written.
    """
    for label, value in (("--subject", subject), ("--task", task)):
        if not re.fullmatch(r"[A-Za-z0-9]+", value):
            raise InputError(f"BIDS wants letters and digits only in {label}, got '{value}'")
    folder = root / f"sub-{subject}" / "meg"
    stem = f"sub-{subject}_task-{task}"
    fif = folder / f"{stem}_meg.fif"
    if fif.exists() or list(folder.glob(f"{stem}_split-*_meg.fif")):
        raise InputError(
            f"{root} has a recording of sub-{subject}, task {task} already; give another --subject or --task"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_fif(fif, source, split_naming="bids")
        written = sorted(folder.glob(f"{stem}_*meg.fif"))
        raw = _opened(written[0])
        sensors = source.sensors
        _json(folder / f"{stem}_meg.json", _sidecar(raw, sensors, task, line))
        _table(folder / f"{stem}_channels.tsv", ("name", "type", "units", "description", "status"), _channels(sensors))
        _events(folder / f"{stem}_events", raw)
        _json(folder / f"sub-{subject}_coordsystem.json", _frame(sensors))
        names = [(f"meg/{path.name}", "n/a") for path in written]
        _append(root / f"sub-{subject}" / f"sub-{subject}_scans.tsv", ("filename", "acq_time"), names)
        _dataset(root, subject)
    except OSError as error:
        raise StorageError(f"{root} cannot be written: {error.strerror or error}") from error
    return written[0]


def _opened(fif: Path) -> Any:  # an mne Raw; MNE has no types
    import mne

    return mne.io.read_raw_fif(fif, preload=False, verbose="CRITICAL")


def _sidecar(raw: Any, sensors: SensorArray, task: str, line: float | None) -> dict[str, Any]:
    skipped = any(note["description"] == SKIP for note in raw.annotations)
    count = {kind: len(sensors.of_kind(kind)) for kind in _KINDS}
    return {
        "TaskName": task,
        "TaskDescription": HEART,
        "Manufacturer": "n/a",
        "SamplingFrequency": float(raw.info["sfreq"]),
        "PowerLineFrequency": line or "n/a",
        "DewarPosition": "n/a",
        "SoftwareFilters": "n/a",
        "HardwareFilters": "n/a",
        "DigitizedLandmarks": False,
        "DigitizedHeadPoints": False,
        "ContinuousHeadLocalization": False,
        "RecordingDuration": raw.n_times / float(raw.info["sfreq"]),
        "RecordingType": "discontinuous" if skipped else "continuous",
        "MEGChannelCount": count["mag"],
        "MEGREFChannelCount": count["ref"],
        "ECGChannelCount": count["ecg"],
        "TriggerChannelCount": count["stim"],
        "MiscChannelCount": count["misc"],
    }  # fmt: skip


def _channels(sensors: SensorArray) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, kind, status in zip(sensors.names, sensors.kinds, sensors.status, strict=True):
        rows.append((name, *_KINDS[kind], "good" if status == "good" else "bad"))
    return rows


def _frame(sensors: SensorArray) -> dict[str, Any]:
    return {
        "MEGCoordinateSystem": "Other",
        "MEGCoordinateUnits": "m",
        "MEGCoordinateSystemDescription": FRAME.format(sensors.frame),
    }


def _events(stem: Path, raw: Any) -> None:
    """Write the annotations; no file when there are none."""
    rate, offset = float(raw.info["sfreq"]), float(raw.first_time) if raw.info["meas_date"] is not None else 0.0
    rows = []
    for note in raw.annotations:
        onset = float(note["onset"]) - offset
        words = re.sub(r"\s+", " ", str(note["description"]))
        channels = ",".join(note.get("ch_names", ())) or "n/a"
        rows.append((f"{onset:.9g}", f"{note['duration']:.9g}", words, f"{round(onset * rate)}", channels))
    if not rows:
        return
    columns = ("onset", "duration", "trial_type", "sample", "channel")
    _table(stem.with_name(f"{stem.name}.tsv"), columns, rows)
    about = {
        "trial_type": {"Description": "BAD_ACQ_SKIP: samples are missing; BAD_masked: do not use; else a mark"},
        "sample": {"Description": "index of the sample at the onset, missing samples counted, the first is 0"},
        "channel": {"Description": "the channels concerned; n/a: all"},
    }  # fmt: skip
    _json(stem.with_name(f"{stem.name}.json"), about)


def _dataset(root: Path, subject: str) -> None:
    """Write what a dataset has once, and one line more in its list of participants."""
    if not (root / "dataset_description.json").exists():
        about = {
            "Name": "Magnetocardiograms",
            "BIDSVersion": BIDS,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "zeromag", "Version": __version__, "Description": HEART}],
        }
        _json(root / "dataset_description.json", about)
    if not (root / "README.md").exists() and not (root / "README").exists():
        text = f"# Magnetocardiograms\n\n{HEART}\n\nBIDS has no datatype for the heart's field; it lies under `meg`.\n"
        (root / "README.md").write_text(text + f"Coordinates: {FRAME.format('see each coordsystem.json')}\n")
    _append(root / "participants.tsv", ("participant_id",), [(f"sub-{subject}",)])


def _append(path: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Add the rows that a table does not have yet, by their first cell; columns of others stay and read n/a."""
    old: list[list[str]] = [list(columns)]
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            old = list(csv.reader(file, delimiter="\t")) or old
    known = {line[0] for line in old[1:] if line}
    width = len(old[0])
    new = [[*row, *["n/a"] * (width - len(row))] for row in rows if row[0] not in known]
    _table(path, tuple(old[0]), [tuple(line) for line in (*old[1:], *new)])


def _table(path: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    lines = ["\t".join(columns), *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
