"""The averaged beat: every channel over each other, with a cursor to read it by."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from zeromag.mapping.average import Average
from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, write
from zeromag.viz.scale import round_up, ticks
from zeromag.viz.theme import Theme


class BeatPanel(Panel):
    """One class's average; drag or use the arrow keys to move the cursor (1 ms a step)."""

    title = "Averaged beat"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.kind = "normal"
        self.cursor_s = 0.0  # from R
        self.average: Average | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._plot = QRectF()

    def refresh(self, feed: Feed) -> None:
        """Take the class's average, or the one with most beats when there is none of it."""
        averages = feed.averages
        most = max(averages.values(), key=lambda average: average.nave, default=None)
        self.average = averages.get(self.kind, most)

    def move_cursor(self, seconds: float) -> None:
        """Put the cursor at this time from R, inside the beat."""
        if self.average is not None:
            time = self.average.time
            self.cursor_s = float(min(max(seconds, time[0]), time[-1]))
            self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the waves, the axes, the noise band and the cursor."""
        average = self.average
        if average is None or not average.good.any():
            write(painter, area, "waiting for enough beats", self.theme.quiet, size=13)
            return
        self._plot = plot = area.adjusted(44, 2, -8, -20)
        wave = average.wave[:, average.good] * 1e12
        reach = round_up(float(np.abs(wave).max()))
        self._draw_axes(painter, plot, average, reach)
        x = plot.left() + (average.time - average.time[0]) / np.ptp(average.time) * plot.width()
        painter.setPen(QPen(_faint(self.theme.trace, 150), 1))
        for column in wave.T:
            y = plot.center().y() - column / reach * plot.height() / 2
            painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
        self._draw_cursor(painter, plot, average)
        noise = float(np.median(average.noise[average.good])) * 1e15
        self.note = f"{average.kind} · {average.nave} beats · noise {noise:.0f} fT"

    def _draw_axes(self, painter: QPainter, plot: QRectF, average: Average, reach: float) -> None:
        start, stop = average.time[0], average.time[-1]
        for value in ticks(start * 1e3, stop * 1e3, 7):
            x = plot.left() + (value / 1e3 - start) / (stop - start) * plot.width()
            line(painter, (x, plot.top()), (x, plot.bottom()), self.theme.line, 1)
            write(painter, QRectF(x - 30, plot.bottom() + 2, 60, 16), f"{value:.0f}", self.theme.quiet)
        write(painter, QRectF(plot.right() - 24, plot.bottom() + 2, 30, 16), "ms", self.theme.quiet, align="right")
        for value in (-reach, -reach / 2, 0.0, reach / 2, reach):
            y = plot.center().y() - value / reach * plot.height() / 2
            line(painter, (plot.left(), y), (plot.right(), y), self.theme.line, 1)
            text = f"{value:+g}".replace("-", "−") if value else "0 pT"
            write(painter, QRectF(plot.left() - 46, y - 8, 40, 16), text, self.theme.quiet, align="right")

    def _draw_cursor(self, painter: QPainter, plot: QRectF, average: Average) -> None:
        start, stop = average.time[0], average.time[-1]
        self.cursor_s = float(min(max(self.cursor_s, start), stop))
        x = plot.left() + (self.cursor_s - start) / (stop - start) * plot.width()
        line(painter, (x, plot.top()), (x, plot.bottom()), self.theme.accent, 1.6)
        row = average.wave[int(np.argmin(np.abs(average.time - self.cursor_s)))]
        shown = np.flatnonzero(average.good)
        top, low = shown[np.argmax(row[shown])], shown[np.argmin(row[shown])]
        names = average.sensors.names
        text = (
            f"R{self.cursor_s * 1e3:+.0f} ms   {names[top]} {row[top] * 1e12:+.1f} pT   "
            f"{names[low]} {row[low] * 1e12:+.1f} pT"
        ).replace("-", "−")
        write(
            painter, QRectF(plot.left() + 6, plot.top(), plot.width() - 12, 18), text, self.theme.accent, align="left"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the cursor."""
        self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Drag the cursor."""
        self._drag(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move the cursor by 1 ms, with Shift by 10 ms."""
        step = {Qt.Key.Key_Left: -0.001, Qt.Key.Key_Right: 0.001}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        tenfold = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.move_cursor(self.cursor_s + step * (10 if tenfold else 1))

    def _drag(self, x: float) -> None:
        if self.average is not None and self._plot.width() > 0:
            share = (x - self._plot.left()) / self._plot.width()
            time = self.average.time
            self.move_cursor(float(time[0] + share * (time[-1] - time[0])))


def _faint(colour: str, alpha: int) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(alpha)
    return faint
