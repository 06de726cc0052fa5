"""The parameters so far, each with its interval; what the literature says stands in the report."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, widest, write
from zeromag.viz.readings import parameter_rows
from zeromag.viz.theme import Theme

LINE = 18  # px
GAP = 6  # px between two columns, at least


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
        value = widest(painter, [number for _, number, _ in shown], size=12, bold=True)  # a unit is never cut off
        rest = widest(painter, [spread for *_, spread in shown])
        names = max(0.0, area.width() - value - rest - 2 * GAP)
        for k, (name, number, spread) in enumerate(shown):
            top = area.top() + k * LINE
            write(painter, QRectF(area.left(), top, names, LINE), name, self.theme.quiet, align="left")
            middle = QRectF(area.left() + names + GAP, top, value + 2, LINE)
            write(painter, middle, number, self.theme.text, size=12, bold=True, align="left")
            last = QRectF(area.right() - rest - 2, top, rest + 2, LINE)
            write(painter, last, spread, self.theme.quiet, align="right")
        if len(shown) < len(self.rows):
            last = QRectF(area.left(), area.top() + len(shown) * LINE, area.width(), LINE)
            more = f"… and {len(self.rows) - len(shown)} more in the report"
            write(painter, last, more, self.theme.quiet, align="left")
