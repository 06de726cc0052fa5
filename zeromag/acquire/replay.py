"""A path as a source, by what kind of file it is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from zeromag.acquire.recorded import Recorded
from zeromag.acquire.seal import is_sealed
from zeromag.errors import InputError

# which module's function reads what; MNE reads the rest
READERS: Final = {
    ".zm.h5": ("recording_source", "read_recording"),
    ".zmj": ("journal_source", "journal_source"),
    ".hea": ("wfdb_record", "wfdb_source"),
    ".cmeg": ("cmeg", "cmeg_source"),
    ".lvm": ("lvm", "lvm_source"),
    ".xdf": ("xdf", "xdf_source"),
}


def replay(path: Path, *, block: int = 10) -> Recorded:
    """Return the source that reads a recording: ours, a journal, WFDB, Cerca, QuSpin, LabRecorder, what MNE reads.

    What others wrote, or wrote to, is read by a process of its own, which a damaged file may crash.

    Raises
    ------
    InputError
        The file is missing, damaged, of no known kind or without magnetometers that have a place.
    """
    if path.name.lower().endswith(".zmj") or not path.exists() or _ours(path):
        return opened(path, block=block)
    from zeromag.acquire.foreign import foreign

    return foreign(path, block=block)


def opened(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording that this process itself reads; raises InputError as `replay` does."""
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.name.lower().endswith(".zm.h5") and not _ours(path):
        from zeromag.acquire.unsealed import unsealed

        return unsealed(path, block=block)
    suffix = next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), "")
    module, name = READERS.get(suffix, ("mne_source", "mne_source"))
    source: Recorded = getattr(import_module(f"zeromag.acquire.{module}"), name)(path, block=block)
    return source


def _ours(path: Path) -> bool:
    return path.name.lower().endswith(".zm.h5") and is_sealed(path)
