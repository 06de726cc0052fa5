"""How far long work has come: a bar on a terminal, one line elsewhere, nothing when it takes no time."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self


def silent(done: float, of: float) -> None:
    """Show nothing."""
    del done, of


class Progress:
    """Context manager and callable `(done, of)`; silent for the first `quiet` seconds."""

    def __init__(self, title: str, quiet: float = 1.5) -> None:
        self.title = title
        self._quiet_until = time.monotonic() + quiet
        self._bar: _Bar | None = None
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: float, of: float) -> None:
        """Show that `done` of `of` is finished."""
        if time.monotonic() < self._quiet_until and self._bar is None:
            return
        if sys.stderr.isatty():
            self._bar = self._bar or _Bar(self.title)
            self._bar.show(done, of)
        elif not self._said:
            print(f"{self.title} …", file=sys.stderr, flush=True)
            self._said = True


class _Bar:
    """Rich's bar on stderr; rich is imported only when there is something to show."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        self._rich = RichProgress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self._task = self._rich.add_task(title)
        self._rich.start()

    def show(self, done: float, of: float) -> None:
        self._rich.update(self._task, completed=done, total=of)

    def close(self) -> None:
        self._rich.stop()
