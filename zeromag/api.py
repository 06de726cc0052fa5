"""Three lines from Python: read a recording, map it, have the result as the objects that researchers know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeromag.acquire.source import Source, open_source
from zeromag.errors import InputError
from zeromag.mapping.field_map import FieldMap
from zeromag.offline import BLOCK, map_source, session_of
from zeromag.scan.outcome import Outcome
from zeromag.session import Session

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SETTINGS = {
    "subject": "subject",
    "suppression": "clean.suppression",
    "line": "clean.line",
    "low_pass": "clean.low_pass",
    "before": "beats.before",
    "after": "beats.after",
    "hearts": "beats.hearts",
    "pixels": "map.pixels",
    "method": "sources.method",
    "conductor": "sources.conductor",
}


@dataclass(frozen=True)
class Result:
    """What a scan found: the numbers of `zeromag map`, as objects in memory.

    Attributes
    ----------
    outcome
        Everything, in zeromag's own types.
    session
        The settings that gave it.
    """

    outcome: Outcome = field(repr=False)
    session: Session = field(repr=False)

    def __repr__(self) -> str:
        return f"<zeromag result of {self.session.source}: {self.outcome.in_words()}>"

    @cached_property
    def averages(self) -> dict[str, Any]:
        """The averaged beat of each class as `mne.Evoked`, time 0 at R, zero on the PR segment, T."""
        from zeromag.output.evoked import to_evoked

        return {average.kind: to_evoked(average) for average in self.outcome.averages}

    @property
    def average(self) -> Any:  # an mne.Evoked; MNE ships no types
        """The averaged normal beat as `mne.Evoked`.

        Raises
        ------
        InputError
            If there was no beat to average.
        """
        if not self.averages:
            raise InputError(f"{self.session.source} has no averaged beat: {self.outcome.in_words()}")
        return self.averages.get("normal") or next(iter(self.averages.values()))

    @property
    def maps(self) -> dict[str, FieldMap]:
        """The field maps over each class's averaged beat, T on a grid in m."""
        return self.outcome.maps

    @property
    def parameters(self) -> pd.DataFrame:
        """Every parameter in a row of `value`, `low`, `high` (95 %) and `unit`."""
        from zeromag.acquire.wfdb_record import quiet_wfdb

        quiet_wfdb()  # its import brings pandas, without what pandas has to say
        import pandas as pd

        table = pd.DataFrame.from_dict(
            self.outcome.parameters, orient="index", columns=["value", "low", "high", "unit"]
        )  # fmt: skip
        table.index.name = "parameter"
        return table

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The dictionary of `summary.json`."""
        from zeromag.output.summary import summary

        return summary(self.outcome, self.session)

    def plot(self) -> Figure:
        """Return one picture: the maps at the peaks of the normal beat, and the averaged beat below."""
        from zeromag.viz.overview import overview_figure

        return overview_figure(self.outcome.averages, self.outcome.maps)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the same files as `zeromag map --out`, and return the folder.

        Raises
        ------
        StorageError
            If the folder cannot be made or written to.
        """
        from zeromag.output.folder import write_results
        from zeromag.output.ready import ready

        out = ready(Path(folder))
        write_results(out, self.outcome, self.session)
        return out


def read_raw(path: str | PathLike[str]) -> Any:
    """Return a recording as an `mne.io.Raw`: whatever zeromag reads, its own `.zm.h5` lazily.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    from zeromag.acquire.mne_raw import read_raw as read

    return read(Path(path))


def map_recording(recording: Any, *, session: Session | None = None, **settings: object) -> Result:
    """Run the scan over a recording, as `zeromag map` does, and return what it found.

    Parameters
    ----------
    recording
        A path, a source's name (`sim:adult?seconds=60`), an `mne.io.Raw` or a `Source`.
    session
        Settings to begin with; the defaults without.
    **settings
        What to change in them: `suppression`, `line` (Hz), `low_pass` (Hz), `before` and `after` (s around R),
        `hearts` (`fetal`: a fetus beside its mother), `pixels`, `method` and `conductor` (of sources), `subject`.

    Raises
    ------
    InputError
        If it cannot be read, or a setting is unknown or does not fit.
    """
    if unknown := [name for name in settings if name not in SETTINGS]:
        raise InputError(f"map has no setting {unknown[0]}; it has {', '.join(SETTINGS)}")
    source, name = _source(recording)
    changed = (session or Session()).changed(source=name, **{SETTINGS[key]: value for key, value in settings.items()})
    changed = session_of(source, changed)
    return Result(map_source(source, changed), changed)


def _source(recording: Any) -> tuple[Source, str]:
    """Return the source of whatever was given, and what to call it."""
    if isinstance(recording, (str, PathLike)):
        name = fspath(recording)
        return open_source(name, block=BLOCK), name
    if isinstance(recording, Source):
        return recording, type(recording).__name__
    if hasattr(recording, "get_data") and hasattr(recording, "annotations"):
        from zeromag.acquire.mne_source import raw_source

        name = _name(recording)
        return raw_source(recording, Path(name), block=BLOCK), name
    raise InputError(f"map takes a path, an mne.io.Raw or a source, got {type(recording).__name__}")


def _name(raw: Any) -> str:
    """Return the file that a Raw came from, or say that it was in memory."""
    names = [str(name) for name in raw.filenames if name is not None]
    return names[0] if names else "a recording in memory"
