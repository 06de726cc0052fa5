"""The whole study: every member through the session, then tables, group map and report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from zeromag import __version__
from zeromag.errors import InputError, StorageError
from zeromag.offline import Progress
from zeromag.output.maps import write_maps
from zeromag.output.ready import ready
from zeromag.output.summary import provenance
from zeromag.progress import silent
from zeromag.session import Session
from zeromag.study.cluster import scattered
from zeromag.study.group_map import group_map
from zeromag.study.members import Member, members
from zeromag.study.pool import pooled
from zeromag.study.report import group_report
from zeromag.study.spread import Spread, spread
from zeromag.study.table import Row, row_of, write_csv, write_parquet
from zeromag.study.work import PART, Done, read_summary, work


@dataclass(frozen=True, slots=True)
class Studied:
    """What a study came to."""

    rows: tuple[Row, ...]
    failed: tuple[Row, ...]
    skipped: int  # whole already
    parquet: bool

    def in_words(self) -> str:
        """Return the study in one phrase, for the end of a command."""
        told = f"{len(self.rows) - len(self.failed)} of {len(self.rows)} recordings mapped"
        return f"{told} ({self.skipped} were whole already)" if self.skipped else told


def study(
    dataset: Path, out: Path, session: Session, *, jobs: int, scheduler: str = "", progress: Progress = silent
) -> Studied:
    """Map every recording of `dataset` into `out/members`, then write the tables and the group's report.

    `jobs` at a time on this machine, or as the Dask cluster at `scheduler` gives them out.

    A recording whose result of the same input, session and version is whole is not done again; one that
    fails is listed with its sentence, and the others go on.

    Raises
    ------
    InputError
        If there is no recording, or no such cluster.
    StorageError
        If results cannot be written; what is there stays, and the same command goes on from it.
    """
    todo = members(dataset, out)
    folder = ready(out) / "members"
    finished: dict[str, Done] = {}
    task = partial(_at, folder.resolve(), session)
    for done in scattered(task, todo, scheduler) if scheduler else pooled(task, todo, jobs):
        if done.full:
            raise StorageError(f"{done.error}; what is done is kept, and the same command goes on from there")
        finished[done.member.name] = done
        progress(len(finished), len(todo))
    for left in folder.rglob(f".*{PART}"):  # by a worker that died
        shutil.rmtree(left, ignore_errors=True)
    return _gathered(out, [finished[member.name] for member in todo], session)


def _at(folder: Path, session: Session, member: Member) -> Done:
    return work(member, folder / member.name, session)


def _gathered(out: Path, finished: Sequence[Done], session: Session) -> Studied:
    rows: list[Row] = []
    told: list[tuple[Path, dict[str, Any]]] = []
    units: dict[str, str] = {}
    for done in finished:
        folder = out / "members" / done.member.name
        summary, error = _summary(done, folder)
        rows.append(row_of(done.member.name, summary, error))
        if summary is not None:
            told.append((folder, summary))
            units |= {name: parameter["unit"] for name, parameter in summary["parameters"].items()}
    where = {
        "zeromag": __version__,
        "session": session.as_dict() | {"source": ""},
        "recordings": len(rows),
        **provenance(),
    }
    group = group_map(told)
    try:
        write_csv(out / "study.csv", rows)
        parquet = write_parquet(out / "study.parquet", rows, where)
        (out / "study.json").write_text(json.dumps({**where, "units": units}, indent=1) + "\n", encoding="utf-8")
        if group is not None:
            write_maps(out / "group_maps.h5", {"normal": group.maps})
        (out / "study.html").write_text(group_report(rows, _spreads(rows, units), group, where), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the study's tables cannot be written to {out}: {error.strerror or error}") from error
    failed = tuple(row for row in rows if row["status"] != "done")
    return Studied(tuple(rows), failed, sum(done.skipped for done in finished), parquet)


def _summary(done: Done, folder: Path) -> tuple[dict[str, Any] | None, str]:
    if done.error:
        return None, done.error
    try:
        return read_summary(folder), ""
    except InputError as error:
        return None, str(error)


def _spreads(rows: Sequence[Row], units: dict[str, str]) -> list[Spread]:
    """Return the spread of the heart rate and every parameter that a recording has."""
    found = []
    for name, unit in {"heart_rate": "1/min", **units}.items():
        known = [(row["member"], row[name]) for row in rows if row.get(name) is not None]
        if known:
            found.append(spread(name, unit, [member for member, _ in known], [value for _, value in known]))
    return found
