"""The live window: panels around a feed, repainted thirty times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QFontDatabase, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import QApplication, QGridLayout, QVBoxLayout, QWidget

from zeromag.viz.beat_panel import BeatPanel
from zeromag.viz.display import check_display
from zeromag.viz.feed import Feed
from zeromag.viz.field_map_panel import FieldMapPanel
from zeromag.viz.header import Footer, Header
from zeromag.viz.panel import Panel
from zeromag.viz.readings import Latency, readings
from zeromag.viz.receiver import following
from zeromag.viz.status_panel import StatusPanel
from zeromag.viz.theme import DARK, THEMES, Theme
from zeromag.viz.traces import SPEEDS, Traces

FRAME_MS = 33


class Window(QWidget):
    """All panels of one layout; `Space` pauses the picture, never the recording."""

    def __init__(self, feed: Feed, *, layout: str = "clinic", theme: Theme = DARK) -> None:
        super().__init__()
        self.feed = feed
        self.paused = False
        self.latency = Latency()
        self.traces = Traces(theme)
        self.map = FieldMapPanel(theme)
        self.beat = BeatPanel(theme)
        self.status = StatusPanel(theme)
        self.panels: list[Panel] = [self.map, self.traces, self.beat, self.status]
        self.header, self.footer = Header(theme), Footer(theme)
        self.theme = theme
        self._arrange(layout)
        self._bind_keys()
        self.setWindowTitle("zeromag")
        self.resize(1280, 800)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.window))
        self.setPalette(palette)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(FRAME_MS)

    def state(self, now_ns: int) -> str:
        """Return what the badge says."""
        state = self.feed.state(now_ns)
        return "PAUSED" if self.paused and state in ("LIVE", "REPLAY", "STALE") else state

    def tick(self, now_ns: int | None = None) -> None:
        """Take the newest state and repaint; a paused picture stays as it is."""
        now = time.monotonic_ns() if now_ns is None else now_ns
        state = self.state(now)
        veil = {
            "STALE": f"STALE · no data for {self.feed.age_ns(now) / 1e9:.1f} s",
            "ENDED": f"ENDED · {self.feed.ended or ''}".rstrip(" ·"),
        }.get(state, "")
        if self.traces.drawn_t_ns and state == "LIVE":
            self.latency.drawn(self.traces.drawn_t_ns, now)
        for panel in self.panels:
            if not self.paused:
                panel.refresh(self.feed)
            panel.veil = veil if panel is not self.status else ""
            panel.update()
        self.header.show_feed(self.feed, state, readings(self.feed, self.latency))
        self.header.update()

    def toggle_pause(self) -> None:
        """Hold the picture still, or go on with what is new."""
        self.paused = not self.paused
        self.tick()

    def actions_by_key(self) -> dict[str, tuple[str, Callable[[], object]]]:
        """Return every action: key, what it does, and the function."""
        return {
            "Space": ("pause", self.toggle_pause),
            "+": ("higher traces", lambda: self.traces.magnify(1.25)),
            "-": ("lower traces", lambda: self.traces.magnify(0.8)),
            "0": ("fit traces", self.traces.fit),
            "S": ("sweep or scroll", lambda: _flip(self.traces, "sweep")),
            "B": ("butterfly or rows", lambda: _flip(self.traces, "butterfly")),
            "V": ("paper speed", self._next_speed),
            "A": ("arrows", lambda: _flip(self.map, "arrows")),
            "I": ("isolines", lambda: _flip(self.map, "lines")),
            "M": ("sensor marks", lambda: _flip(self.map, "marks")),
            "F11": ("full screen", lambda: self.showNormal() if self.isFullScreen() else self.showFullScreen()),
            "Ctrl+Q": ("close", self.close),
        }

    def _arrange(self, layout: str) -> None:
        """Put the panels in their places."""
        if layout != "clinic":
            raise ValueError(f"the layout must be clinic, got {layout}")
        grid = QGridLayout()
        grid.setSpacing(8)
        grid.addWidget(self.map, 0, 0)
        grid.addWidget(self.traces, 0, 1)
        grid.addWidget(self.status, 1, 0)
        grid.addWidget(self.beat, 1, 1)
        grid.setColumnStretch(0, 9)
        grid.setColumnStretch(1, 11)
        grid.setRowStretch(0, 9)
        grid.setRowStretch(1, 5)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 4, 12, 4)
        outer.setSpacing(4)
        outer.addWidget(self.header)
        outer.addLayout(grid, stretch=1)
        outer.addWidget(self.footer)

    def _bind_keys(self) -> None:
        for key, (name, action) in self.actions_by_key().items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setWhatsThis(name)
            shortcut.activated.connect(action)
        self.footer.hint = "Space pause · +/− height · V speed · B butterfly · A arrows · I isolines"

    def _next_speed(self) -> None:
        at = SPEEDS.index(self.traces.speed) if self.traces.speed in SPEEDS else -1
        self.traces.speed = SPEEDS[(at + 1) % len(SPEEDS)]


def _flip(thing: object, name: str) -> None:
    setattr(thing, name, not getattr(thing, name))


def open_window(
    endpoint: str,
    *,
    stop: threading.Event | None = None,
    announce: Callable[[Mapping[str, object]], None] | None = None,
    layout: str = "clinic",
    theme: str = "dark",
) -> int:
    """Show a window on a running stream until it is closed, or `stop` is set, and return Qt's exit code.

    Raises
    ------
    LinkError
        If the endpoint is not written like one.
    ZeromagError
        If there is no display or a library of Qt's is missing: Qt itself would abort the process.
    """
    check_display()
    with following(endpoint) as feed:
        return show(feed, layout=layout, theme=theme, stop=stop, announce=announce)


def show(
    feed: Feed,
    *,
    layout: str = "clinic",
    theme: str = "dark",
    stop: threading.Event | None = None,
    announce: Callable[[Mapping[str, object]], None] | None = None,
) -> int:
    """Show a window on this feed until it is closed, or `stop` is set, and return Qt's exit code."""
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(["zeromag"])
    _ensure_font(app)
    window = Window(feed, layout=layout, theme=THEMES[theme])
    window.show()
    watch = QTimer()
    watch.timeout.connect(lambda: window.close() if stop is not None and stop.is_set() else None)
    watch.start(100)
    if announce is not None:
        announce({"shown": "window"})
    return app.exec()


def _ensure_font(app: QApplication) -> None:
    """Load the font that Matplotlib brings along where the system has none at all."""
    if QFontDatabase.families():
        return
    from matplotlib import get_data_path

    number = QFontDatabase.addApplicationFont(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    if families := QFontDatabase.applicationFontFamilies(number):
        app.setFont(families[0])
