"""The recordings of one acquisition: a journal opened before it is needed, closed and made a recording of after."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from zeromag.acquire.journal import Journal
from zeromag.errors import InputError

Announce = Callable[[dict[str, Any]], None]


class Recorder:
    """Opens and closes journals off the acquisition's thread; `announce` is told `journal`, `recording` and `say`.

    `pace` is how many bytes a second the stream will bring.
    """

    def __init__(self, root: Path | None, announce: Announce, pace: float = 0.0) -> None:
        self._root, self._announce, self._pace = root, announce, pace
        self._making: list[threading.Thread] = []
        self.recordings: list[str] = []

    def opened(self, folder: str = "", *, beside: Path | None = None) -> Journal:
        """Return a new journal in a folder below the root; without a root one named after the time is made here.

        Another journal may be named that it shall lie `beside`.

        Raises
        ------
        InputError
            The folder is not below the root.
        StorageError
            The journal cannot be created.
        """
        below = PurePosixPath(folder)
        if below.is_absolute() or ".." in below.parts or "\\" in folder or ":" in folder:
            raise InputError(
                f"a recording goes below the folder of the acquisition: name one like 'ward-3', got '{folder}'"
            )
        root = self._root or Path.cwd()
        if self._root is None and not folder:
            below = PurePosixPath(time.strftime("scan-%Y%m%d-%H%M%S"))
        path = _fresh(root.joinpath(*below.parts) if beside is None else beside.parent)
        journal = Journal(path, pace=self._pace)
        self._announce({"journal": str(journal.path)})
        return journal

    def discarded(self, journal: Journal) -> None:
        """Forget a journal that nothing was written to."""
        journal.close()
        journal.path.unlink(missing_ok=True)

    def finished(self, journal: Journal) -> None:
        """Bring a journal to the disk and make the recording of it, beside whatever goes on."""

        def make() -> None:
            journal.close()
            self.make(journal.path)

        making = threading.Thread(target=make, name="recover")
        self._making.append(making)
        making.start()

    def make(self, journal: Path) -> str | None:
        """Make the recording in a process of its own, since HDF5 can take its process down with it."""
        out = journal.with_suffix(".zm.h5")
        made = subprocess.run(
            [sys.executable, "-m", "zeromag", "recover", str(journal), "--out", str(out)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            said = made.stderr.strip().splitlines()
            why = f" ({said[-1].removeprefix('zeromag: ')})" if said else ""
            self._announce(
                {"say": f"the journal {journal} is whole, but no recording was made of it{why}: `zeromag recover` does"}
            )
            return None
        self.recordings.append(str(out))
        self._announce({"recording": str(out)})
        return str(out)

    def wait(self) -> None:
        """Wait until every recording is made."""
        for making in self._making:
            making.join()


def _fresh(folder: Path) -> Path:
    """Return the name of a journal that does not exist yet: raw.zmj, raw-2.zmj and so on."""
    number = 1
    while True:
        path = folder / ("raw.zmj" if number == 1 else f"raw-{number}.zmj")
        if not path.exists() and not path.with_suffix(".zm.h5").exists():
            return path
        number += 1
