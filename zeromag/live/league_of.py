"""The league of a stream or recording: run by a process of its own that steps back behind acquisition and window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from zeromag.errors import InputError
from zeromag.session import Session
from zeromag.session_file import session_toml
from zeromag.viz.league import Row

NICE = 15
BACK = f"import os, runpy; os.nice({NICE}); runpy.run_module('zeromag', run_name='__main__')"


def league_of(source: str, seconds: float, session: Session) -> list[Row]:
    """Return the chains ranked over so many seconds of a source, the best first.

    Raises
    ------
    InputError
        The source gives nothing, or the league cannot run on it; in one sentence.
    """
    with tempfile.TemporaryDirectory(prefix="zeromag-league-") as name:
        settings, out = Path(name) / "session.toml", Path(name) / "league.json"
        settings.write_text(session_toml(session), encoding="utf-8")
        begin = ["-c", BACK] if hasattr(os, "nice") else ["-m", "zeromag"]
        done = subprocess.run(
            [sys.executable, *begin, "filters", source, "--league", "--seconds", str(seconds), "--out", str(out),
             "--session", str(settings)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not out.exists():
            said = done.stderr.strip().splitlines()
            raise InputError(said[-1].removeprefix("zeromag: ") if said else f"no league could be run on {source}")
        return msgspec.json.decode(out.read_bytes(), type=list[Row])
