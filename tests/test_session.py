"""A session file is read whole or refused with the key that is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from zeromag import __version__
from zeromag.errors import InputError
from zeromag.session import Session, dotted, session_from
from zeromag.session_file import read_session, session_toml


def test_what_a_file_does_not_name_keeps_its_default(tmp_path: Path) -> None:
    path = tmp_path / "scan.toml"
    path.write_text('source = "sim:vcg"\n[clean]\nline = 60\n', encoding="utf-8")
    session = read_session(path)
    assert session.source == "sim:vcg"
    assert session.clean.line == 60
    assert session.clean.low_pass == Session().clean.low_pass


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[clean]\nlowpass = 40.0", "clean.low_pass"),
        ("sauce = 'sim:adult'", "nearest one is source"),
        ("[clean]\nline = 55", "55"),
        ("[clean", "not TOML"),
        ("[acquire]\nblock = 'ten'", "does not fit"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "scan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as raised:
        read_session(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        read_session(tmp_path / "nowhere.toml")


def test_flags_win_over_the_file() -> None:
    session = Session().changed(**{"clean.line": 50, "subject": "P07", "clean.low_pass": None})
    assert (session.clean.line, session.subject, session.clean.low_pass) == (50, "P07", 100.0)
    assert Session().changed(**session.as_dict()) == session


def test_a_session_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "scan.toml"
    path.write_text('zeromag = "9.1.0"\n[clean]\nline = 60\nfuture = 3\n', encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_session(path)
    assert str(raised.value) == (
        f"{path} (a session of zeromag 9.1.0, and this is {__version__}) has a key that is not known: "
        "clean.future; the nearest one is clean.suppression"
    )
    path.write_text('zeromag = "9.1.0"\n[clean]\nline = 60\n', encoding="utf-8")
    assert read_session(path).clean.line == 60  # what it names is known: no reason to refuse it


def test_a_written_session_says_its_version_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "scan.toml"
    session = Session().changed(
        **{"source": 'C:\\a "b"', "subject": "Ä", "clean.stages": [{"stage": "Mains", "a": [1.5, {"b": True}]}]}
    )
    path.write_text(session_toml(session), encoding="utf-8")
    assert path.read_text(encoding="utf-8").startswith(f'zeromag = "{__version__}"\n')
    assert read_session(path) == session


def test_the_page_of_the_session_shows_every_key_with_its_default() -> None:
    page = (Path(__file__).parent.parent / "docs" / "session.md").read_text(encoding="utf-8")
    shown = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    assert dotted(shown).keys() == dotted(Session().as_dict()).keys()
    assert session_from(shown) == Session()
