"""One framed picture of the window: title, drawing, and the veil over it when what it shows is not live."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from zeromag.viz.feed import Feed
from zeromag.viz.theme import Theme

HEAD = 26  # px of the title's line


class Panel(QWidget):
    """A picture that takes its state from a feed in `refresh` and paints it in `draw`."""

    title = ""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.note = ""  # right of the title
        self.veil = ""  # the words over a picture that is not live; empty: it is
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(self.title)

    def refresh(self, feed: Feed) -> bool:
        """Take what this picture shows and return whether it has changed."""
        del feed
        return False

    def show_veil(self, veil: str) -> None:
        """Grey the picture and say why; no words: it is live."""
        if veil != self.veil:
            self.veil = veil
            self.update()

    def wear(self, theme: Theme) -> None:
        """Change the colours."""
        self.theme = theme
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint into `area`, the panel without its title."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint frame, title, picture and veil."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self.theme.panel))
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        area = frame.adjusted(10, HEAD + 2, -10, -8)
        self.draw(painter, area)
        painter.setPen(QPen(QColor(self.theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        head = QRectF(10, 0, self.width() - 20, HEAD)
        write(painter, head, self.title, self.theme.text, size=12, bold=True, align="left")
        taken = painter.fontMetrics().horizontalAdvance(self.title) + 14
        write(painter, head.adjusted(taken, 0, 0, 0), self.note, self.theme.quiet, size=11, align="right")
        if self.veil:
            self.draw_veil(painter, area)
        painter.end()

    def draw_veil(self, painter: QPainter, area: QRectF) -> None:
        """Grey what is shown and say why."""
        grey = QColor(self.theme.window)
        grey.setAlpha(175)
        painter.fillRect(area, grey)
        banner = QRectF(area.left(), area.center().y() - 16, area.width(), 32)
        painter.fillRect(banner, QColor(self.theme.window))
        write(painter, banner, self.veil, self.theme.warning, size=13, bold=True)


def write(
    painter: QPainter,
    box: QRectF,
    text: str,
    colour: str,
    *,
    size: int = 11,
    bold: bool = False,
    align: str = "centre",
) -> None:
    """Write one line into a box, vertically in its middle, shortened with … when it does not fit."""
    painter.setFont(_font(painter, size, bold=bold))
    painter.setPen(QColor(colour))
    flags = {
        "left": Qt.AlignmentFlag.AlignLeft,
        "right": Qt.AlignmentFlag.AlignRight,
        "centre": Qt.AlignmentFlag.AlignHCenter,
    }
    if len(text) * size > box.width():  # no letter is wider than the type is high: only then it is worth measuring
        text = shortened(painter, text, int(box.width()))
    painter.drawText(box, flags[align] | Qt.AlignmentFlag.AlignVCenter, text)


def write_lines(painter: QPainter, box: QRectF, text: str, colour: str, *, size: int = 13) -> None:
    """Write words into the middle of a box, over as many lines as they need."""
    painter.setFont(_font(painter, size, bold=False))
    painter.setPen(QColor(colour))
    painter.drawText(box, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter, text)


def lines_of(painter: QPainter, text: str, room: float, *, size: int = 11) -> list[str]:
    """Return words as lines of at most so many pixels."""
    out: list[str] = []
    for word in text.split(" "):
        if out and widest(painter, [f"{out[-1]} {word}"], size=size) <= room:
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out


def shortened(painter: QPainter, text: str, room: int) -> str:
    """Return a line with … for what does not fit into so many pixels."""
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)


def widest(painter: QPainter, texts: Iterable[str], *, size: int = 11, bold: bool = False) -> float:
    """Return how many pixels the longest of some lines takes as `write` writes it."""
    letters = QFontMetricsF(_font(painter, size, bold=bold))
    return max((letters.horizontalAdvance(text) for text in texts), default=0.0)


def line(painter: QPainter, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
    """Draw a straight line."""
    painter.setPen(QPen(QColor(colour), width))
    painter.drawLine(QPointF(*start), QPointF(*end))


def pixel(colour: str) -> int:
    """Return `#rrggbb` as an opaque pixel."""
    return int("ff" + colour[1:], 16)


def _font(painter: QPainter, size: int, *, bold: bool) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(size)
    font.setBold(bold)
    return font
