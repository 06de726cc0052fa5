"""The session as a file (TOML): read, written, and a chain put into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from zeromag import __version__
from zeromag.calibration import read_calibration
from zeromag.errors import InputError
from zeromag.session import Session, session_from
from zeromag.toml_file import read_toml, toml_lines, toml_row

WRITER: Final = "zeromag"  # the key that is no setting: the version that wrote the file


def read_session(path: Path) -> Session:
    """Return the settings in a TOML file; what it does not name keeps its default.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or has a key or value that no setting takes; when another version
        of zeromag wrote it, that is said too.
    """
    settings, where = read_settings(path)
    return session_from(settings, where)


def read_settings(path: Path) -> tuple[dict[str, Any], str]:
    """Return only what a session file names, not yet looked at, and how a message should call the file.

    Raises
    ------
    InputError
        If the file cannot be read or is not TOML.
    """
    settings = read_toml(path, "session file")
    if isinstance(named := settings.get("calibration"), str):
        settings["calibration"] = msgspec.to_builtins(read_calibration(path.parent / named))
    writer = settings.pop(WRITER, __version__)
    other = "" if writer == __version__ else f" (a session of zeromag {writer}, and this is {__version__})"
    return settings, f"{path}{other}"


def session_toml(session: Session) -> str:
    """Return the session file that gives these settings."""
    return "\n".join(toml_lines({WRITER: __version__} | session.as_dict())) + "\n"


def write_stages(path: Path, stages: Iterable[Mapping[str, Any]]) -> None:
    """Write a chain into a session file as its `[[clean.stages]]`; all else in the file, comments too, stays.

    Raises
    ------
    InputError
        If there is a file that cannot be read, or that would be no session with these stages.
    """
    before = path.read_text(encoding="utf-8") if path.exists() else "\n".join(toml_row({WRITER: __version__}))
    kept: list[str] = []
    table = ""
    for line in before.splitlines():
        if line.lstrip().startswith("["):
            table = line.split("#")[0].strip()
        inline = table == "[clean]" and line.split("=")[0].strip() == "stages"
        if table != "[[clean.stages]]" and not inline:
            kept.append(line)
    text = "\n".join(kept).rstrip()
    for stage in stages:
        text += "\n\n[[clean.stages]]\n" + "\n".join(toml_row(stage))
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text.lstrip() + "\n", encoding="utf-8")
    try:
        read_session(fresh)
    except InputError as error:
        fresh.unlink()
        raise InputError(f"{path} cannot take a chain, and stays as it was: {error}") from error
    fresh.replace(path)
