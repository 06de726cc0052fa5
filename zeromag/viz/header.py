"""The window's head and foot: what state this is in, the numbers, and what it is not."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from zeromag import __version__
from zeromag.viz.feed import Feed
from zeromag.viz.panel import write
from zeromag.viz.readings import Reading, source_words
from zeromag.viz.theme import RESEARCH_USE, Theme

SHORT = 40  # letters of the source
READINGS = 412  # px, where the numbers begin
TONES = {
    "LIVE": "good",
    "REPLAY": "accent",
    "REVIEW": "accent",
    "PAUSED": "warning",
    "WAITING": "quiet",
    "STALE": "alarm",
    "LATE": "alarm",
    "ENDED": "alarm",
}


class Header(QWidget):
    """A badge that cannot be overlooked, then the readings."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state = "WAITING"
        self.source = ""
        self.recording = False
        self.readings: list[Reading] = []
        self.setFixedHeight(58)
        self.setAccessibleName("State and numbers")

    def show_feed(self, feed: Feed, state: str, readings: list[Reading]) -> None:
        """Take state and numbers, and repaint when one has changed."""
        source = source_words(feed.status)
        before = (self.state, self.readings, self.recording, self.source)
        self.state, self.readings, self.recording, self.source = state, readings, feed.status.recording, source
        if before != (self.state, self.readings, self.recording, self.source):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the head."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.window))
        tone = str(getattr(self.theme, TONES.get(self.state, "quiet")))
        badge = QRectF(0, 8, 104, 42)
        painter.fillRect(badge, QColor(tone))
        write(painter, badge, self.state, self.theme.window, size=18, bold=True)
        write(
            painter,
            QRectF(118, 8, READINGS - 130, 22),
            f"zeromag {__version__}",
            self.theme.text,
            size=15,
            bold=True,
            align="left",
        )
        source = ("● REC  " if self.recording and self.state != "ENDED" else "") + self.source
        write(painter, QRectF(118, 30, READINGS - 130, 18), short(source), self.theme.quiet, size=12, align="left")
        width = (self.width() - READINGS) / max(len(self.readings), 1)
        for k, reading in enumerate(self.readings):
            left = READINGS + k * width
            write(painter, QRectF(left, 6, width - 8, 16), reading.name, self.theme.quiet, size=11, align="left")
            size = 24 if k == 0 else 18
            box = QRectF(left, 22, width - 8, 30)
            write(
                painter, box, reading.value, str(getattr(self.theme, reading.tone)), size=size, bold=True, align="left"
            )
        painter.end()


class Footer(QWidget):
    """The line that is always there."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.hint = ""
        self.message = ""  # what went wrong last; takes the hint's place
        self.setFixedHeight(24)
        self.setAccessibleName(RESEARCH_USE)

    def show_message(self, message: str) -> None:
        """Say what went wrong; empty: nothing did."""
        if message != self.message:
            self.message = message
            self.setAccessibleDescription(message)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the foot."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.window))
        box = QRectF(0, 0, self.width(), self.height())
        write(painter, box, RESEARCH_USE, self.theme.text, size=12, bold=True, align="left")
        words, tone = (self.message, self.theme.warning) if self.message else (self.hint, self.theme.quiet)
        write(painter, box.adjusted(260, 0, 0, 0), words, tone, size=12 if self.message else 11, align="right")
        painter.end()


def short(source: str) -> str:
    """Return where samples come from so that a long path keeps its end, which tells it from others."""
    return source if len(source) <= SHORT else f"{source[: SHORT // 3]}…{source[-(2 * SHORT // 3 - 1) :]}"
