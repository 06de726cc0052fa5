"""A new HDF5 file on a disk that may be full: an OSError, where HDF5 itself takes the process with it."""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py


class Disk(io.FileIO):
    """The file below an HDF5 file: what it could not write it keeps to itself until `check`, so that HDF5 can close."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._fault: OSError | None = None

    def write(self, data: Any) -> int:  # whatever has a buffer
        """Write all of it; after the first failure nothing, and say nothing."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while len(left) and self._fault is None:
                left = left[super().write(left) or 0 :]
        except OSError as error:
            self._fault = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the length, with the same patience."""
        try:
            return super().truncate(size)
        except OSError as error:
            self._fault = self._fault or error
        return size or 0

    def check(self) -> None:
        """Raise the OSError that a write ended with."""
        if self._fault is not None:
            raise OSError(self._fault.errno, os.strerror(self._fault.errno or 0), str(self.name))


@contextmanager
def new_h5(path: Path, *, oldest: str = "earliest") -> Generator[h5py.File, None, None]:
    """Give a new file, closed at the end, that HDF5 1.10 reads; `oldest` is the first version that may.

    Raises
    ------
    OSError
        At the end, if not everything could be written; then there is no file.
    """
    import h5py

    with Disk(path) as disk:
        with h5py.File(disk, "w", libver=(oldest, "v110")) as file:
            yield file
        try:
            disk.check()
        except OSError:
            path.unlink(missing_ok=True)
            raise
