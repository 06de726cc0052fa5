"""A fault of zeromag's own, kept for the developers and told in one sentence."""

from __future__ import annotations

import sys
import tempfile
import traceback

from zeromag import __version__


def fault(error: Exception) -> str:
    """Write the traceback into a file, where there is room for one, and return what the user needs to know."""
    what = f"this is a fault of zeromag ({type(error).__name__}: {error}); please report it"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="zeromag-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(f"zeromag {__version__}: {' '.join(sys.argv)}\n\n{''.join(traceback.format_exception(error))}")
    except OSError as full:
        return f"{what}; its details could not be kept ({full.strerror})"
    return f"{what} with the file {file.name}"
