"""The sheet over the window that lists every key."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from zeromag.viz.panel import write
from zeromag.viz.theme import RESEARCH_USE, Theme

ROW = 24  # px
WIDTH = 460  # px of a column
MOUSE = "Plots: wheel zooms, drag moves, double click shows all, right exports"


class HelpSheet(QWidget):
    """Keys and what they do; any key or click puts it away."""

    def __init__(self, parent: QWidget, theme: Theme, keys: list[tuple[str, str]]) -> None:
        super().__init__(parent)
        self._window = parent
        self.theme = theme
        self.keys = keys
        self.setAccessibleName("Keys")
        self.hide()

    def toggle(self) -> None:
        """Show the sheet, or put it away."""
        self.setGeometry(self._window.rect())
        self.setVisible(not self.isVisible())
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the sheet."""
        del event
        painter = QPainter(self)
        shade = QColor(self.theme.window)
        shade.setAlpha(190)
        painter.fillRect(self.rect(), shade)
        lines = -(-len(self.keys) // 2)
        height = (lines + 4) * ROW
        sheet = QRectF(self.width() / 2 - WIDTH, (self.height() - height) / 2, 2 * WIDTH, height)
        painter.fillRect(sheet, QColor(self.theme.panel))
        painter.setPen(QPen(QColor(self.theme.accent), 1))
        painter.drawRect(sheet)
        title = QRectF(sheet.left() + 20, sheet.top() + 8, WIDTH, ROW)
        write(painter, title, "Keys", self.theme.text, size=15, bold=True, align="left")
        for k, (key, what) in enumerate(self.keys):
            left, top = sheet.left() + 20 + k // lines * WIDTH, sheet.top() + 8 + (k % lines + 1.3) * ROW
            write(painter, QRectF(left, top, 100, ROW), key, self.theme.accent, size=13, align="left")
            write(painter, QRectF(left + 104, top, WIDTH - 124, ROW), what, self.theme.text, size=13, align="left")
        mouse = QRectF(sheet.left() + 20, sheet.bottom() - 2 * ROW - 4, 2 * WIDTH - 40, ROW)
        write(painter, mouse, MOUSE, self.theme.text, size=11, align="left")
        foot = QRectF(sheet.left() + 20, sheet.bottom() - ROW - 4, 2 * WIDTH - 40, ROW)
        write(painter, foot, RESEARCH_USE, self.theme.quiet, size=11, align="left")
        painter.end()
