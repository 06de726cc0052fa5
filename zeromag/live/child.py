"""A child process of the supervisor: started, listened to, told things, let go, never orphaned."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any


class Child:
    """One `zeromag` process on a leash; `news` is called with each thing it announces."""

    def __init__(self, name: str, arguments: Sequence[str], news: Callable[[str, dict[str, Any]], None]) -> None:
        self.name = name
        self._news = news
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zeromag", *arguments, "--leash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._listener = threading.Thread(target=self._listen, name=f"listen-{name}", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            try:
                heard = json.loads(line)
            except json.JSONDecodeError:
                sys.stderr.write(line)  # a library that prints must not be lost, nor taken for news
                continue
            self._news(self.name, heard)
        self._news(self.name, {"ended": self._process.wait()})

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs, negative when a signal ended it."""
        return self._process.poll()

    def tell(self, line: str) -> None:
        """Give the child a line; one that has ended hears nothing."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(line + "\n")
        except (BrokenPipeError, ValueError):
            return  # its end is announced by the listener

    def let_go(self) -> None:
        """Ask the child to stop in order, by ending its standard input."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except BrokenPipeError:
            return  # it has ended already

    def kill(self) -> None:
        """End the child at once, whatever it was writing."""
        self._process.kill()

    def ended(self, patience: float) -> int:
        """Return its exit code, waiting at most `patience` seconds before it is killed."""
        self.let_go()
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._listener.join(timeout=1.0)
        if self._process.stdout is not None and not self._listener.is_alive():
            self._process.stdout.close()
        return code
