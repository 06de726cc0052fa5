"""The report of a recording that has just ended: made in a process of its own, as soon as the recording is there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from zeromag.errors import InputError
from zeromag.live.recorded_session import recorded_session
from zeromag.output.ready import ready
from zeromag.session_file import session_toml

PATIENCE = 120.0  # s until the recording has been made of its journal


def report_of(journal: str) -> Path:
    """Return `report.html` beside the journal's recording, made by `zeromag map` under the settings it holds.

    Raises
    ------
    InputError
        The recording does not come, or cannot be mapped; in one sentence.
    """
    path = Path(journal)
    recording = path.with_suffix(".zm.h5")
    deadline = time.monotonic() + PATIENCE
    while not recording.exists():
        if time.monotonic() > deadline:
            raise InputError(f"no recording was made of {journal} within {PATIENCE:g} s: `zeromag recover` does it")
        time.sleep(0.1)
    out = ready(path.with_name(f"{path.stem}-results"))
    settings = out / "session.toml"
    settings.write_text(session_toml(recorded_session(recording).session), encoding="utf-8")
    made = subprocess.run(
        [sys.executable, "-m", "zeromag", "map", str(recording), "--out", str(out), "--session", str(settings)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        said = made.stderr.strip().splitlines()
        raise InputError(said[-1].removeprefix("zeromag: ") if said else f"`zeromag map {recording}` failed")
    return out / "report.html"
