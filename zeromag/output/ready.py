"""The folder of results, tried before the work begins; light, so that a supervisor can ask."""

from __future__ import annotations

import os
from pathlib import Path

from zeromag.errors import StorageError


def ready(out: Path) -> Path:
    """Make the folder and try it, so that a full or read-only disk shows before the work, not after.

    Raises
    ------
    StorageError
        If it cannot be made or written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".zeromag-probe"
        probe.write_bytes(os.urandom(1))
        probe.unlink()
    except OSError as error:
        raise StorageError(f"results cannot be written to {out}: {error.strerror}; give another --out") from error
    return out
