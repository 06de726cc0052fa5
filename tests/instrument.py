"""The commands of a running instrument, and programs, as processes of their own: for what needs the real thing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LSL = "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[lab]\nKnownPeers = {127.0.0.1}\n"


def printed(program: str, *words: str, **environment: str) -> list[str]:
    """Run a Python program; return the lines it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *words], capture_output=True, text=True, cwd=ROOT,
        timeout=300, env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def alone(program: str, folder: Path, *words: str) -> list[str]:
    """Run a program whose LSL sees this machine only; return the lines it prints."""
    config = folder / "lsl.cfg"
    config.write_text(LSL)
    return printed(program, *words, LSLAPICFG=str(config))


@contextmanager
def running(*arguments: str, word: str) -> Iterator[str]:
    """Run a command of zeromag and give what it prints behind `word`."""
    process = subprocess.Popen([sys.executable, "-m", "zeromag", *arguments], stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if line.startswith(f"zeromag: {word} "):
                found = line.split()[-1]
                break
        else:
            raise SystemExit(f"zeromag {' '.join(arguments)} ended before it told its {word}")
        threading.Thread(target=lambda: list(process.stderr or ()), daemon=True).start()
        yield found
    finally:
        process.terminate()
        process.wait(300)  # the recording of an hour may have to be made
