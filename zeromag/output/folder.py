"""The folder of results: made before the work begins, filled at its end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from zeromag.errors import StorageError
from zeromag.mapping.average import MAIN
from zeromag.output.dipoles import write_dipoles
from zeromag.output.events import write_events
from zeromag.output.evoked import write_evoked
from zeromag.output.maps import write_maps
from zeromag.output.sources import write_loop, write_sources
from zeromag.output.summary import summary, write_summary
from zeromag.scan.outcome import Outcome
from zeromag.session import Session


def write_results(out: Path, outcome: Outcome, session: Session) -> None:
    """Write every file of a run; the numbers go first, so that a failing picture costs no number.

    Raises
    ------
    StorageError
        If the disk is full or the folder is gone.
    """
    from zeromag.viz.report import write_report

    numbers = summary(outcome, session)
    try:
        write_summary(out / "summary.json", numbers)
        write_events(out / "events.tsv", outcome)
        write_dipoles(out / "dipole.csv", outcome.dipoles)
        if outcome.averages:
            write_evoked(out / "average-ave.fif", outcome.averages)
        if outcome.maps:
            write_maps(out / "maps.h5", outcome.maps, outcome.components)
        if outcome.sources.image is not None and outcome.sources.loop is not None:
            write_sources(out / "sources.h5", outcome.sources.image, session.sources.conductor)
            write_loop(out / "loop.csv", outcome.sources.loop)
        own_map = next((outcome.maps[kind] for kind in MAIN if kind in outcome.maps), None)
        found = outcome.sources
        write_report(
            out,
            {**numbers, "checksums": checksums([out / "summary.json", Path(session.source)])},
            list(outcome.averages),
            own_map,
            language=session.language,
            image=found.image,
            loop=found.loop,
        )
    except OSError as error:
        raise StorageError(f"the results could not all be written to {out}: {error.strerror or error}") from error


def checksums(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of the files that are there: a printed report tells whose numbers and recording it is of."""
    found = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            continue  # a simulated source, or one that runs
    return found
