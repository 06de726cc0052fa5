"""An offscreen window on a running instrument; acquisition and processing are the real commands, two processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")

from PySide6.QtWidgets import QApplication

from tests.instrument import running
from zeromag.viz.feed import Feed
from zeromag.viz.receiver import following
from zeromag.viz.window import Window


class Watched(NamedTuple):
    """What a benchmark watches."""

    app: QApplication
    feed: Feed
    window: Window


@contextmanager
def watched(source: str, *more: str) -> Iterator[Watched]:
    """Run `zeromag acquire SOURCE …` and `zeromag process`, and show a window on them."""
    app = QApplication([])
    with (
        running("acquire", source, *more, word="endpoint") as first,
        running("process", "--from", first, word="endpoint") as second,
        following(second) as feed,
    ):
        window = Window(feed)
        window.show()
        yield Watched(app, feed, window)
