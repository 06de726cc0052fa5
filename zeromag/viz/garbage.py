"""Python's garbage taken away on the painting thread only: what Qt ends on another may take the process with it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

EVERY_MS = 250


@contextmanager
def collected_here() -> Iterator[None]:
    """Look after cyclic garbage by a timer of this thread while Python itself, which takes any thread, does not.

    What is there at the beginning, the libraries above all, is never looked through again, so that a look is short.
    """
    before = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()
    timer = QTimer()
    timer.timeout.connect(_collect)
    timer.start(EVERY_MS)
    try:
        yield
    finally:
        timer.stop()
        gc.unfreeze()
        if before:
            gc.enable()


def _collect() -> None:
    """Collect the oldest generation whose turn it is by Python's own rule."""
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            gc.collect(generation)
            return
