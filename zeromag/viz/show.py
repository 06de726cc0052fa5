"""A window put on the screen: on a running stream, on a recording, or on any feed, until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from zeromag.viz.acquisition import Acquisition, Hand
from zeromag.viz.display import check_display
from zeromag.viz.feed import Feed
from zeromag.viz.font import ensure_font
from zeromag.viz.garbage import collected_here
from zeromag.viz.league import League, RunLeague
from zeromag.viz.receiver import following
from zeromag.viz.review import Review
from zeromag.viz.theme import THEMES
from zeromag.viz.window import Window
from zeromag.viz.workflow import MakeReport, Workflow

FRAME = QSize(0, 40)  # px that a desktop draws around a window
Announce = Callable[[Mapping[str, object]], None]


def open_window(
    endpoint: str,
    *,
    stop: threading.Event | None = None,
    announce: Announce | None = None,
    layout: str = "clinic",
    theme: str = "dark",
    keys: Path | None = None,
    hand: Hand | None = None,
    make_report: MakeReport | None = None,
    run_league: RunLeague | None = None,
) -> int:
    """Show a window on a running stream until it is closed, or `stop` is set, and return Qt's exit code.

    With a `hand` on the acquisition it leads through the scan; `make_report` makes the report of a journal and
    `run_league` the league of a stream.

    Raises
    ------
    LinkError
        If the endpoint is not written like one.
    ZeromagError
        If there is no display or a library of Qt's is missing: Qt itself would abort the process.
    """
    check_display()
    with following(endpoint, keys) as feed:
        workflow = None
        if hand is not None:
            workflow = Workflow(feed, Acquisition(hand), make_report)
            workflow.open_report = lambda path: QDesktopServices.openUrl(QUrl.fromLocalFile(path))
        try:
            return show(
                feed, layout=layout, theme=theme, workflow=workflow, run_league=run_league, stop=stop, announce=announce
            )
        finally:
            if workflow is not None:
                workflow.close()


def show(
    feed: Feed,
    *,
    layout: str = "clinic",
    theme: str = "dark",
    review: Review | None = None,
    workflow: Workflow | None = None,
    run_league: RunLeague | None = None,
    stop: threading.Event | None = None,
    announce: Announce | None = None,
) -> int:
    """Show a window on this feed until it is closed, or `stop` is set, and return Qt's exit code."""
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(["zeromag"])
    ensure_font(app)
    league = League(run_league)
    window = Window(feed, layout=layout, theme=THEMES[theme], review=review, workflow=workflow, league=league)
    fit_screen(window)
    window.show()

    told: set[str] = set()

    def tell(what: str) -> None:
        if announce is not None and what not in told:
            told.add(what)
            announce({what: "window"})

    def look() -> None:
        if window.latency.count > 1:
            tell("drawing")
        if stop is not None and stop.is_set():
            window.close()
        if not window.isVisible():  # other windows of this process are no reason to stay
            app.quit()

    watch = QTimer()
    watch.timeout.connect(look)
    watch.start(100)
    tell("shown")
    with collected_here():
        code = app.exec()
    league.close()
    if announce is not None and window.latency.count:
        announce({"drawn_ms": window.latency.taken(), "pictures": window.latency.pace})
    return code


def fit_screen(window: QWidget) -> None:
    """Let a window that is larger than the screen fill it: its last line, and the button above it, must be seen."""
    room, wanted = window.screen().availableSize(), window.size() + FRAME
    if wanted != wanted.boundedTo(room):
        window.resize(window.size().boundedTo(room))
        window.setWindowState(Qt.WindowState.WindowMaximized)
