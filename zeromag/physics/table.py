"""A table in a text file: its lines, without comments, told apart by tabs."""

from __future__ import annotations

from pathlib import Path

from zeromag.errors import InputError


def lines_of(path: Path, called: str) -> list[str]:
    """Return a text file's lines; `called` says what it should be, as in `sensor table`.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a {called} ({error}).") from error


def rows_of(path: Path, called: str) -> list[list[str]]:
    """Return the cells of every line that is neither empty nor a comment (#); raises InputError like `lines_of`."""
    return [line.split("\t") for line in lines_of(path, called) if line.strip() and not line.startswith("#")]
