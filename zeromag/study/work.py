"""One member's work, in a process of its own: the scan, its results folder, and the seal that says it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import threading
import traceback
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zeromag import __version__
from zeromag.acquire.source import open_source
from zeromag.errors import InputError, StorageError, ZeromagError
from zeromag.offline import BLOCK, map_source, session_of
from zeromag.output.folder import write_results
from zeromag.output.ready import ready
from zeromag.scan.outcome import Outcome
from zeromag.session import Session
from zeromag.study.members import Member

SEAL: Final = "seal.json"
PART: Final = ".part"  # what a folder's name ends with while it is written


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a member: its summary, or one sentence on why there is none."""

    member: Member
    error: str = ""
    full: bool = False  # the results could not be stored: no use going on
    skipped: bool = False  # it was whole already


def work(member: Member, folder: Path, session: Session) -> Done:
    """Map one recording into `folder`, unless a whole result of the same input, session and version is there."""
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}{PART}")
    try:
        seal = {"zeromag": __version__, "input": member.digest(), "session": session_digest(session)}
        if _whole(folder, seal):
            return Done(member, skipped=True)
        named = session.changed(
            source=member.name, subject=_subject(member.name)
        )  # not the path: the same dataset elsewhere gives the same bytes
        outcome, named = _scanned(member, named)
        write_results(ready(part), outcome, named)
        (part / SEAL).write_text(json.dumps({**seal, "summary": _summary_digest(part)}), encoding="utf-8")
        _put(part, folder)
    except StorageError as error:
        return Done(member, str(error).replace(str(part), str(folder)), full=True)
    except ZeromagError as error:
        return Done(member, str(error))
    except OSError as error:
        return Done(member, f"the results of {member.name} cannot be kept: {error.strerror or error}", full=True)
    except Exception as error:  # noqa: BLE001 - whatever one recording does, the others go on
        kept = folder / "fault.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(traceback.format_exc(), encoding="utf-8")
        return Done(
            member, f"this is a fault of zeromag ({type(error).__name__}: {error}); please report it with {kept}"
        )
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Done(member)


def _put(part: Path, folder: Path) -> None:
    """Put a whole result in its place at once: a cluster that loses sight of a worker has another one do the same."""
    before = part.with_name(f"{part.name}{PART}")
    with contextlib.suppress(FileNotFoundError):
        folder.rename(before)
    try:
        part.rename(folder)
    except OSError:
        if not (folder / SEAL).exists():  # else the other one was faster, with the same bytes
            raise
    shutil.rmtree(before, ignore_errors=True)


def _scanned(member: Member, session: Session) -> tuple[Outcome, Session]:
    """Return what is in a recording; InputError when it cannot be read: the others may well be readable."""
    try:
        source = open_source(str(member.path), block=BLOCK)
        session = session_of(source, session)
        return map_source(source, session, aside=False), session  # every core has a recording of its own
    except OSError as error:
        raise InputError(f"{member.path} cannot be read: {error.strerror or error}") from error


def begin() -> None:
    """Prepare a worker: Ctrl-C ends it without a word, since the parent says what happened; so does the parent's end.

    A pool's workers wait for a parent that was killed until the machine is switched off.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def session_digest(session: Session) -> str:
    """Return the SHA-256 of all settings but the source, which differs from member to member."""
    settings = session.as_dict() | {"source": ""}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def read_summary(folder: Path) -> dict[str, Any]:
    """Return a member's `summary.json`.

    Raises
    ------
    InputError
        If it is not there or not whole.
    """
    try:
        told: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder / 'summary.json'} is not whole: delete the folder and run the study again"
        ) from error
    return told


def _subject(name: str) -> str | None:
    """Return the BIDS label in a member's name, None when it has none."""
    label = re.search(r"(?:^|/)sub-([A-Za-z0-9]+)", name)
    return label.group(1) if label else None


def _whole(folder: Path, seal: dict[str, str]) -> bool:
    try:
        kept = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        return bool(kept == {**seal, "summary": _summary_digest(folder)})
    except (OSError, ValueError):
        return False


def _summary_digest(folder: Path) -> str:
    return hashlib.sha256((folder / "summary.json").read_bytes()).hexdigest()
