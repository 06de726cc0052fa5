"""The report's words in other languages: one TOML file each, from the English word to the foreign one.

`fonts` in such a file names fonts that have the language's letters, best first, where not every font has them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

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
    table = _table(language)
    return lambda word: str(table.get(word, word))


def fonts(language: str) -> list[str]:
    """Return the fonts with this language's letters, best first; none where every font has them."""
    return [] if language == "en" else list(_table(language).get("fonts", []))


def languages() -> list[str]:
    """Return the languages there are files for, English first."""
    found = (entry.name for entry in files(__name__).iterdir())
    return ["en", *sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))]


def _table(language: str) -> dict[str, Any]:
    file = files(__name__).joinpath(f"{language}.toml")
    if not language.isalpha() or not file.is_file():
        raise ValueError(f"the report's language is one of {', '.join(languages())}, got {language}")
    return tomllib.loads(file.read_text(encoding="utf-8"))
