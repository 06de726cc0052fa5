"""The heart rate over the last minutes, beat by beat."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, write
from zeromag.viz.scale import ticks
from zeromag.viz.theme import Theme

SECONDS = 120.0


class TrendPanel(Panel):
    """A dot a beat; those that were left out of the average are hollow."""

    title = "Heart rate, beat by beat"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._beats: list[tuple[float, float, bool]] = []  # s, 1/min, counted
        self._count = 0

    def refresh(self, feed: Feed) -> bool:
        """Take the beats."""
        stream, beats = feed.stream, list(feed.beats)
        if stream is None or feed.beats_seen == self._count:
            return False
        self._count = feed.beats_seen
        self._beats = [
            (beat.sample / stream.rate, 60 / beat.rr, not beat.why)
            for beat in beats
            if np.isfinite(beat.rr) and beat.rr > 0
        ]
        return True

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint dots over time."""
        if not self._beats:
            write(painter, area, "waiting for two beats in a row", self.theme.quiet, size=13)
            return
        plot = area.adjusted(34, 4, -8, -20)
        stop = self._beats[-1][0]
        start = max(self._beats[0][0] - 1, stop - SECONDS)
        rates = [rate for at, rate, _ in self._beats if at >= start]
        low, high = np.floor((min(rates) - 5) / 10) * 10, np.ceil((max(rates) + 5) / 10) * 10
        for value in ticks(low, high, 4):
            y = plot.bottom() - (value - low) / (high - low) * plot.height()
            line(painter, (plot.left(), y), (plot.right(), y), self.theme.line, 1)
            write(painter, QRectF(plot.left() - 34, y - 8, 30, 16), f"{value:g}", self.theme.quiet, align="right")
        write(
            painter, QRectF(plot.left(), plot.bottom() + 2, 120, 16), f"{start:.0f} s", self.theme.quiet, align="left"
        )
        write(
            painter,
            QRectF(plot.right() - 120, plot.bottom() + 2, 120, 16),
            f"{stop:.0f} s",
            self.theme.quiet,
            align="right",
        )
        for at, rate, counted in self._beats:
            if at >= start:
                x = plot.left() + (at - start) / max(stop - start, 1e-9) * plot.width()
                y = plot.bottom() - (rate - low) / (high - low) * plot.height()
                painter.setPen(QColor(self.theme.trace if counted else self.theme.warning))
                painter.setBrush(QColor(self.theme.trace) if counted else Qt.BrushStyle.NoBrush)
                painter.drawEllipse(QPointF(x, y), 2.5, 2.5)
        left_out = sum(not counted for *_, counted in self._beats)
        self.note = "1/min" + (f" · {left_out} left out (hollow)" if left_out else "")
