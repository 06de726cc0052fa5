"""What cleaning took and what it cost: per step the shielding, how much of the heart is kept, the noise gain."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, write
from zeromag.viz.readings import kept_words, shielding_words
from zeromag.viz.status import Cleaning, Status
from zeromag.viz.theme import Theme

ROW = 48  # px
LEAST_ROW = 42.0  # px
WORDS = 210  # px
ENOUGH = 0.9  # of the heart's power


class HeartMeterPanel(Panel):
    """A bar a step: full is the whole heart; below nine tenths it warns."""

    title = "Heart meter"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._status = Status()
        self._reason = ""  # as painted

    def refresh(self, feed: Feed) -> bool:
        """Take the status."""
        before = self._status.cleaning
        self._status = feed.status
        return before != self._status.cleaning or self._status.chain_reason != self._reason

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint a row a step, and why these steps were chosen."""
        steps = self._status.cleaning
        self.note = "of this heart, and of one beside · L: league"
        self._reason = self._status.chain_reason
        if not steps:
            write(painter, area, "not measured yet", self.theme.quiet, size=13)
            return
        row = min(ROW, max(LEAST_ROW, area.height() / len(steps)))
        room = max(1, int(area.height() / row + 1e-6))
        shown = steps if len(steps) <= room else [*steps[: room - 1], steps[-1]]  # the last is the whole chain
        for k, step in enumerate(shown):
            self._draw_step(painter, QRectF(area.left(), area.top() + k * row, area.width(), row), step)
        below = area.top() + len(steps) * row + 8
        self._draw_reason(painter, QRectF(area.left(), below, area.width(), area.bottom() - below))

    def _draw_reason(self, painter: QPainter, box: QRectF) -> None:
        """Write why these steps were chosen, over as many lines as there are."""
        if box.height() > 14:
            font = QFont(painter.font())
            font.setPixelSize(10)
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QColor(self.theme.quiet))
            painter.drawText(box, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop, self._status.chain_reason)

    def _draw_step(self, painter: QPainter, row: QRectF, step: Cleaning) -> None:
        write(painter, row.adjusted(0, 0, -WORDS, 18 - row.height()), step.stage, self.theme.text, align="left")
        below = row.adjusted(0, 28, 0, 0)
        below.setHeight(14)
        write(painter, below, shielding_words(step), self.theme.quiet, size=10, align="left")
        kept = step.heart_kept
        if kept is None:
            return
        bar = QRectF(row.left(), row.top() + 19, row.width(), 7)
        tone = self.theme.good if kept >= ENOUGH else self.theme.alarm
        painter.fillRect(bar, QColor(self.theme.line))
        painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * min(max(kept, 0.0), 1.0), 7), QColor(tone))
        said = QRectF(row.right() - WORDS, row.top(), WORDS, 18)
        write(painter, said, kept_words(step), tone, size=11, bold=True, align="right")
