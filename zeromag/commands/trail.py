"""One line for each export, in the folder where this user's programs keep what they did."""

from __future__ import annotations

import getpass
import hashlib
import sys
from pathlib import Path

from zeromag.acquire.audit import audit, own_folder


def leave_line(to: str, out: Path) -> None:
    """Append when, who, in which format, and the checksum of what was written; never a path, which may name somebody.

    An export that cannot be noted is done all the same, and that is said.
    """
    try:
        line = {"action": "export", "to": to, "who": getpass.getuser()}
        if out.is_file():
            with out.open("rb") as file:
                line["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        audit(None, line)
    except (OSError, KeyError) as error:  # KeyError: a user without a name
        print(f"zeromag: the export was not noted in {own_folder()}: {error}", file=sys.stderr)
