"""The league's table: which chain leaves the truest map of the heart on this array in this room."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from zeromag.viz.feed import Feed
from zeromag.viz.league import League, Row
from zeromag.viz.panel import Panel, write
from zeromag.viz.theme import Theme

LINE = 17  # px
COLUMNS = (("chain", 0.36), ("map error", 0.18), ("heart", 0.14), ("fT/√Hz", 0.14), ("dB", 0.07), ("delay", 0.11))


class LeaguePanel(Panel):
    """A line a chain, the best first; what takes more than a tenth of the heart, or cannot run here, says so."""

    title = "League of chains"

    def __init__(self, theme: Theme, league: League) -> None:
        super().__init__(theme)
        self.league = league
        self._shown: tuple[object, str] = ([], "")

    def refresh(self, feed: Feed) -> bool:
        """Take the newest table."""
        del feed
        self.league.look()
        before, self._shown = self._shown, (self.league.rows, self.league.words)
        return before != self._shown

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the table, or how it stands."""
        rows, words = self.league.rows, self.league.words
        self.note = "L: heart meter · Shift+L: run again"
        if not rows:
            font = QFont(painter.font())
            font.setPixelSize(12)
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QColor(self.theme.quiet))
            painter.drawText(area, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter, words)
            return
        self._write(painter, area, 0, [name for name, _ in COLUMNS], [self.theme.quiet] * len(COLUMNS))
        room = max(1, int(area.height() // LINE) - 1)
        shown = rows if len(rows) <= room else rows[: room - 1]
        for k, row in enumerate(shown):
            self._write(painter, area, k + 1, cells(row), self._inks(row, best=k == 0))
        if words or len(shown) < len(rows):
            last = QRectF(area.left(), area.top() + (len(shown) + 1) * LINE, area.width(), LINE)
            write(painter, last, words or f"… and {len(rows) - len(shown)} behind", self.theme.quiet, align="left")

    def _inks(self, row: Row, *, best: bool) -> list[str]:
        if row.why:
            return [self.theme.quiet] * len(COLUMNS)
        name = self.theme.good if best and row.keeps else self.theme.text
        heart = self.theme.text if row.keeps else self.theme.alarm
        return [name, self.theme.text, heart, *[self.theme.text] * 3]

    def _write(self, painter: QPainter, area: QRectF, line: int, texts: list[str], inks: list[str]) -> None:
        left = area.left()
        for (_, share), text, ink in zip(COLUMNS[: len(texts)], texts, inks, strict=False):
            width = share * area.width() if len(texts) > 2 or text == texts[0] else area.right() - left
            box = QRectF(left, area.top() + line * LINE, width - 4, LINE)
            write(painter, box, text, ink, size=11, align="left" if left == area.left() or len(texts) == 2 else "right")
            left += width


def cells(row: Row) -> list[str]:
    """Return a chain's name and figures, or its name and why it cannot run here."""
    if row.why:
        return [row.name, row.why]
    return [
        row.name,
        _figure(row.error, 100, " %"),
        _figure(row.heart_kept, 100, " %", 0),
        _figure(row.floor, 1e15, "", 0),
        _figure(row.shielding_db, 1, "", 0),
        _figure(row.delay_s, 1e3, " ms", 0),
    ]


def _figure(value: float | None, factor: float, unit: str, digits: int = 1) -> str:
    return "—" if value is None else f"{value * factor:.{digits}f}{unit}"
