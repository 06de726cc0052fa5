"""The parameters so far, each with its interval; what the literature says stands in the report."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, write
from zeromag.viz.readings import parameter_rows
from zeromag.viz.theme import Theme

LINE = 18  # px


class NumbersPanel(Panel):
    """One line a parameter."""

    title = "Parameters"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.rows: list[tuple[str, str, str]] = []

    def refresh(self, feed: Feed) -> bool:
        """Take the numbers."""
        before, self.rows = self.rows, parameter_rows(feed.status.parameters)
        return self.rows != before

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint as many lines as there is room for."""
        self.note = "95 % interval" if self.rows else ""
        if not self.rows:
            write(painter, area, "waiting for enough beats", self.theme.quiet, size=13)
            return
        room = max(1, int(area.height() // LINE))
        shown = self.rows if len(self.rows) <= room else self.rows[: room - 1]
        names, value = 0.375 * area.width(), 0.225 * area.width()
        for k, (name, number, spread) in enumerate(shown):
            top = area.top() + k * LINE
            write(painter, QRectF(area.left(), top, names, LINE), name, self.theme.quiet, align="left")
            middle = QRectF(area.left() + names, top, value, LINE)
            write(painter, middle, number, self.theme.text, size=12, bold=True, align="left")
            rest = QRectF(middle.right() + 4, top, area.right() - middle.right() - 4, LINE)
            write(painter, rest, spread, self.theme.quiet, align="right")
        if len(shown) < len(self.rows):
            last = QRectF(area.left(), area.top() + len(shown) * LINE, area.width(), LINE)
            more = f"… and {len(self.rows) - len(shown)} more in the report"
            write(painter, last, more, self.theme.quiet, align="left")
