"""A command of zeromag in this process: what it says and its exit code, without two seconds of imports each time."""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path

from zeromag.cli import main


def zeromag(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one command as the command line would and give what a process would have given."""
    words = [str(word) for word in arguments]
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            code = main(words)
        except SystemExit as end:  # argparse: help, or wrong usage
            code = end.code if isinstance(end.code, int) else 0
    return subprocess.CompletedProcess(words, code, out.getvalue(), said.getvalue())
