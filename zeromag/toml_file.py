"""TOML: a file read with one sentence on what is wrong, and plain values written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeromag.errors import InputError


def read_toml(path: Path, called: str) -> dict[str, Any]:
    """Return what a TOML file holds; `called` says what it should be, as in `session file`.

    Raises
    ------
    InputError
        If the file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the {called} {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the {called} {path} is not TOML: {error}") from error


def toml_lines(table: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the lines of a table: its values, then the tables in it.

    Examples
    --------
    >>> toml_lines({"block": 10, "clean": {"line": 50}})
    ['block = 10', '', '[clean]', 'line = 50']
    """
    lines = [f"{_key(name)} = {_value(value)}" for name, value in table.items() if not isinstance(value, Mapping)]
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{path}{_key(name)}]", *toml_lines(value, f"{path}{_key(name)}.")]
    return lines


def toml_row(table: Mapping[str, Any]) -> list[str]:
    """Return one line a key, the tables in it inline: what may stand under a heading of its own."""
    return [f"{_key(name)} = {_value(value)}" for name, value in table.items()]


def _value(value: object) -> str:
    """Return a value as TOML; JSON writes numbers, words, booleans and lists of them the same way."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(toml_row(value)) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    return json.dumps(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
