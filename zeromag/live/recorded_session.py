"""What is to be reviewed: the recording behind a path, the session it was made under, and what is missing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zeromag.errors import InputError
from zeromag.session import Session, session_from


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """A recording with its settings; `notes` say what is missing or was not to be had, for people."""

    session: Session
    notes: tuple[str, ...] = ()


def recorded_session(path: Path) -> RecordedSession:
    """Return what to scan for a recording, a journal, anything else that can be read, or a results folder.

    Raises
    ------
    InputError
        If there is nothing at `path`, or a results folder whose recording is gone.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise InputError(f"there is no recording {path}")
    if path.name.endswith(".zm.h5"):
        return _of_recording(path)
    if path.suffix == ".zmj":
        return _of_journal(path)
    return RecordedSession(Session(source=str(path)))


def _of_recording(path: Path) -> RecordedSession:
    from zeromag.acquire.recording_source import contents
    from zeromag.acquire.replay import replay
    from zeromag.acquire.seal import is_sealed

    try:
        if not is_sealed(path):
            return _with_settings(path, replay(path).session, ("another program wrote to it: nothing vouches for it",))
        about = contents(path)
    except InputError:
        journal = path.with_name(path.name.removesuffix(".zm.h5") + ".zmj")
        if not journal.exists():
            raise
        found = _of_journal(journal)
        return RecordedSession(found.session, (f"{path.name} is damaged, this is its journal", *found.notes))
    note = () if about.status == "complete" else (_cut_off(about.status),)
    return _with_settings(path, about.session, note)


def _cut_off(status: str) -> str:
    if status.startswith("gaps"):
        return f"samples are missing in it ({status})"
    return f"its end may be missing: it was {status} from a journal that had been cut off"


def _of_journal(path: Path) -> RecordedSession:
    from zeromag.acquire.frame import END
    from zeromag.acquire.journal_file import JournalFile
    from zeromag.acquire.run import Run

    journal, ended = JournalFile(path), False
    for piece in journal.pieces():
        ended = ended or (not isinstance(piece, Run) and piece[0].kind == END)
    notes = [f"damaged and left out: {where}" for where in journal.damaged]
    if journal.torn:
        notes.append(f"cut off: the last {journal.torn} bytes are no whole frame")
    elif not ended:
        notes.append("cut off: it has no end, what came after the last whole frame is missing")
    return _with_settings(path, journal.description.session, tuple(notes))


def _of_folder(folder: Path) -> RecordedSession:
    """Return the recording of a results folder: the one in it, or else the one it was made from."""
    for pattern in ("*.zm.h5", "*.zmj"):
        inside = sorted(folder.glob(pattern))
        if inside:
            return recorded_session(inside[-1])
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        source, session = str(summary["source"]), dict(summary["session"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} holds neither a recording nor the results of one") from error
    for path in (Path(source), folder / source, folder.parent / source):
        if path.is_file():
            return _with_settings(path, session, ())
    if source.startswith("sim:"):
        return RecordedSession(session_from(session, f"the session of {folder}"))
    raise InputError(
        f"the recording {source} of the results in {folder} is not here: give its path, or open {folder}/report.html"
    )


def _with_settings(path: Path, session: Mapping[str, Any], notes: tuple[str, ...]) -> RecordedSession:
    """Return the session it was recorded under, or the default one where this version cannot read that."""
    try:
        found = session_from(session, f"the session of {path.name}")
    except InputError as error:
        return RecordedSession(Session(source=str(path)), (*notes, f"default settings, since {error}"))
    return RecordedSession(found.changed(source=str(path)), notes)
