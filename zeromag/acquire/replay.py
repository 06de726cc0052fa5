"""A path as a source, by what kind of file it is."""

from __future__ import annotations

from pathlib import Path

from zeromag.acquire.recorded import Recorded
from zeromag.errors import InputError


def replay(path: Path, *, block: int = 10) -> Recorded:
    """Return the source that reads a recording: our own, a journal, WFDB, Cerca, QuSpin, or anything MNE reads.

    What others wrote is read by a process of its own, which a damaged file may crash.

    Raises
    ------
    InputError
        The file is missing, damaged, of no known kind or without magnetometers that have a place.
    """
    if path.name.lower().endswith((".zm.h5", ".zmj")) or not path.exists():
        return opened(path, block=block)
    from zeromag.acquire.foreign import foreign

    return foreign(path, block=block)


def opened(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over a recording that this process itself reads; raises InputError as `replay` does."""
    if not path.exists():
        raise InputError(f"there is no file {path}")
    name = path.name.lower()
    if name.endswith(".zm.h5"):
        from zeromag.acquire.recording import read_recording

        return read_recording(path, block=block)
    if name.endswith(".zmj"):
        from zeromag.acquire.journal_source import journal_source

        return journal_source(path, block=block)
    if name.endswith(".hea"):
        from zeromag.acquire.wfdb_record import wfdb_source

        return wfdb_source(path, block=block)
    if name.endswith(".cmeg"):
        from zeromag.acquire.cmeg import cmeg_source

        return cmeg_source(path, block=block)
    if name.endswith(".lvm"):
        from zeromag.acquire.lvm import lvm_source

        return lvm_source(path, block=block)
    from zeromag.acquire.mne_source import mne_source

    return mne_source(path, block=block)
