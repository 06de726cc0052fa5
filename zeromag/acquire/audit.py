"""The audit log: one line for whoever connects, each order and each export, only ever appended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

AUDIT: Final = "audit.log"


def audit(folder: Path | None, line: Mapping[str, str]) -> None:
    """Append what happened, one JSON object a line; without a folder of keys in this user's own log.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if folder is None:
        folder = own_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = json.dumps({"time": stamp, **line}) + "\n"
    handle = os.open(folder / AUDIT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def own_folder() -> Path:
    """Return where this user's programs keep what they did: below XDG_STATE_HOME, LOCALAPPDATA or `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".local" / "state") / "zeromag"
