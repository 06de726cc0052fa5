"""One line for each export, in the folder where this user's programs keep what they did."""

from __future__ import annotations

import getpass
import hashlib
import os
import sys
from pathlib import Path

from zeromag.acquire.keys import audit


def leave_line(to: str, out: Path) -> None:
    """Append when, who, in which format, and the checksum of what was written; never a path, which may name somebody.

    An export that cannot be noted is done all the same, and that is said.
    """
    folder = trail_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = {"action": "export", "to": to, "who": getpass.getuser()}
        if out.is_file():
            with out.open("rb") as file:
                line["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        audit(folder, line)
    except (OSError, KeyError) as error:  # KeyError: a user without a name
        print(f"zeromag: the export was not noted in {folder}: {error}", file=sys.stderr)


def trail_folder() -> Path:
    """Return where the lines are kept: `zeromag` below XDG_STATE_HOME, LOCALAPPDATA or `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".local" / "state") / "zeromag"
