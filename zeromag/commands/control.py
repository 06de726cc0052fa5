"""`zeromag control`: mark, record, stop or change a setting while an acquisition runs."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from zeromag.acquire.control import Control
from zeromag.errors import InputError
from zeromag.session import dotted
from zeromag.session_file import read_settings


def run(flags: argparse.Namespace) -> int:
    """Give one order and say what became of it."""
    with Control(flags.endpoint, flags.keys) as control:
        if flags.action == "mark":
            print(f"marked sample {control.mark(flags.text)}")
        elif flags.action == "record":
            print(f"recording into {control.start_recording(flags.folder)}")
        elif flags.action == "stop":
            print(f"stopped; the recording is made of {control.stop_recording()}")
        elif flags.action == "set":
            print(f"holds from sample {control.change(_settings(flags.settings))} on")
        else:
            state = control.state()
            print(f"sample {state.sample}; {f'recording into {state.journal}' if state.recording else 'not recording'}")
            for key, value in dotted(state.session).items():
                print(f"{key} = {value!r}")
    return 0


def _settings(words: list[str]) -> dict[str, Any]:
    """Return the settings of `KEY=VALUE` words and session files by their dotted keys."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            found[key] = _value(value)
            continue
        try:
            found |= dotted(read_settings(Path(word))[0])
        except InputError as error:
            raise InputError(f"'{word}' is no KEY=VALUE and no session file: {error}") from error
    return found


def _value(text: str) -> Any:
    """Return a number when the text is one, else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
