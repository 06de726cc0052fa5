"""One thread of BLAS while a recording is scanned: how many there are decides the last bits of its products."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

# what tells a BLAS its number of threads, if it is set before the library is loaded
VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_thread_from_now() -> None:
    """Tell every BLAS that is still to be loaded, here and in processes started from here, to have one thread.

    Whatever the user's shell says: it is set on many clusters, and a live run would have other last bits than `map`.
    """
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


@dataclass(slots=True)
class _Held:
    """How many scans hold BLAS at one thread, and what gives it back: the first takes, the last gives."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    scans: int = 0
    limit: Any = None  # threadpoolctl ships no types


_HELD = _Held()


@contextmanager
def one_thread() -> Generator[None, None, None]:
    """Hold every BLAS of this process at one thread; scans that overlap, on threads of their own, hold it together.

    The command line says the same by variables before NumPy is loaded; a caller's Python has loaded it already.
    """
    from threadpoolctl import threadpool_limits

    import_module("scipy.linalg")  # it brings a BLAS of its own, and only what is loaded can be told
    with _HELD.lock:
        limit = threadpool_limits(limits=1, user_api="blas")  # each time: others may have lifted it since
        if not _HELD.scans:
            _HELD.limit = limit
        _HELD.scans += 1
    try:
        yield
    finally:
        with _HELD.lock:
            _HELD.scans -= 1
            if not _HELD.scans:
                _HELD.limit.restore_original_limits()
