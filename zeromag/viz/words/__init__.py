"""The report's words in other languages: one TOML file each, from the English word to the foreign one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files

Words = Callable[[str], str]


def words(language: str) -> Words:
    """Return what says an English word in `language` (`en`, `ja`, …); what has no translation stays English.

    Raises
    ------
    ValueError
        If there is no file for the language.
    """
    if language == "en":
        return str
    file = files(__name__).joinpath(f"{language}.toml")
    if not language.isalpha() or not file.is_file():
        raise ValueError(f"the report's language is one of {', '.join(languages())}, got {language}")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return lambda word: str(table.get(word, word))


def languages() -> list[str]:
    """Return the languages there are files for, English first."""
    found = (entry.name for entry in files(__name__).iterdir())
    return ["en", *sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))]
