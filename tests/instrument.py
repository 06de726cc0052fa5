"""The commands of a running instrument as processes, for tests and benchmarks that need the real thing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
