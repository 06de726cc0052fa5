"""The bar below a review: the whole recording as a line, what happened along it, and the place that is shown."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from zeromag.viz.panel import line, write
from zeromag.viz.review import Review
from zeromag.viz.theme import Theme

LEFT, RIGHT = 104, 150  # px beside the line
STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)  # s between two numbers


class ReviewBar(QWidget):
    """Click or drag to go there; gaps are hatched, marks and unusual beats stand as strokes."""

    def __init__(self, review: Review, theme: Theme) -> None:
        super().__init__()
        self.review = review
        self.theme = theme
        self._state: tuple[object, ...] = ()
        self.setFixedHeight(46)
        self.setAccessibleName("Place in the recording")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def refresh(self) -> None:
        """Repaint when the place, or what is known of the recording, has changed."""
        review = self.review
        state = (review.position, review.timeline.stop, review.playing, review.done, self.theme.name)
        if state != self._state:
            self._state = state
            self.setAccessibleDescription(self.words())
            self.update()

    def words(self) -> str:
        """Return where this is, as minutes and seconds."""
        review = self.review
        at = (review.position - review.timeline.first) / review.rate
        return f"{clock(at, tenths=True)} of {clock(self._seconds())}"

    def sample_at(self, x: float) -> int:
        """Return the sample under a place of the bar."""
        timeline, width = self.review.timeline, self.width() - LEFT - RIGHT
        share = min(max((x - LEFT) / max(width, 1), 0.0), 1.0)
        return timeline.first + round(share * self._seconds() * self.review.rate)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.review.seek(self.sample_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go along."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.review.seek(self.sample_at(event.position().x()))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the line, what happened, and the place."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self.theme.window))
        middle = 16.0
        whole = QRectF(LEFT, middle - 4, self.width() - LEFT - RIGHT, 8)
        painter.fillRect(whole, QColor(self.theme.panel))
        scanned = QRectF(whole)
        scanned.setRight(self._x(self.review.timeline.stop))
        painter.fillRect(scanned, QColor(self.theme.line))
        self._draw_events(painter, whole)
        self._draw_numbers(painter, whole)
        x = self._x(self.review.position)
        line(painter, (x, middle - 11), (x, middle + 11), self.theme.accent, 3)
        button = "Space: hold" if self.review.playing else "Space: play"
        write(painter, QRectF(0, middle - 9, LEFT - 12, 18), button, self.theme.text, size=12, align="left")
        place = QRectF(self.width() - RIGHT + 10, middle - 9, RIGHT - 10, 18)
        write(painter, place, self.words(), self.theme.text, size=13, bold=True, align="right")
        painter.end()

    def _seconds(self) -> float:
        review = self.review
        scanned = (review.timeline.stop - review.timeline.first) / review.rate
        known = 0.0 if review.done else (review.samples - review.timeline.first) / review.rate
        return max(scanned, known, 1e-3)

    def _x(self, sample: float) -> float:
        share = (sample - self.review.timeline.first) / self.review.rate / self._seconds()
        return LEFT + share * (self.width() - LEFT - RIGHT)

    def _draw_events(self, painter: QPainter, whole: QRectF) -> None:
        for event in self.review.events():
            x = self._x(event.sample)
            if event.kind == "gap":
                gap = QRectF(x, whole.top(), max(self._x(event.sample + event.samples) - x, 3), whole.height())
                painter.fillRect(gap, QBrush(QColor(self.theme.alarm), Qt.BrushStyle.BDiagPattern))
                painter.setPen(QPen(QColor(self.theme.alarm), 1))
                painter.drawRect(gap)
            elif event.kind.startswith("mark"):
                line(painter, (x, whole.top() - 6), (x, whole.bottom()), self.theme.good, 2)
            elif event.kind.startswith("channel/") and event.kind != "channel/good":
                line(painter, (x, whole.top()), (x, whole.bottom()), self.theme.alarm, 1.5)
        for beat in self.review.beats():
            if beat.kind != "normal":
                x = self._x(beat.sample)
                line(painter, (x, whole.top()), (x, whole.bottom()), self.theme.warning, 1.5)

    def _draw_numbers(self, painter: QPainter, whole: QRectF) -> None:
        seconds = self._seconds()
        step = next((step for step in STEPS if seconds / step <= whole.width() / 70), 3600.0)
        at = 0.0
        while at <= seconds:
            x = self._x(self.review.timeline.first + at * self.review.rate)
            line(painter, (x, whole.bottom() + 1), (x, whole.bottom() + 5), self.theme.quiet, 1)
            write(painter, QRectF(x - 30, whole.bottom() + 6, 60, 14), clock(at), self.theme.quiet, size=10)
            at += step


def clock(seconds: float, *, tenths: bool = False) -> str:
    """Return m:ss, or h:mm:ss, with tenths when asked."""
    whole = int(seconds * 10) / 10 if tenths else round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(int(minutes), 60)
    last = f"{rest:04.1f}" if tenths else f"{int(rest):02d}"
    return f"{hours}:{minutes:02d}:{last}" if hours else f"{minutes}:{last}"
