"""The averaged beat: every channel over each other, with a cursor to read it by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter

from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import Fiducials, fiducials
from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, pixel, write
from zeromag.viz.raster import EVERYTHING, draw_traces
from zeromag.viz.scale import round_up, ticks
from zeromag.viz.theme import Theme


class BeatPanel(Panel):
    """One class's average; drag the cursor."""

    title = "Averaged beat"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.kind = "normal"
        self.cursor_s = 0.0  # from R
        self.average: Average | None = None
        self.marks = Fiducials()
        self._plot = QRectF()
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), dtype=np.uint32)

    def refresh(self, feed: Feed) -> bool:
        """Take the class's average, or the one with most beats when there is none of it."""
        averages, before = feed.averages, self.average
        most = max(averages.values(), key=lambda average: average.nave, default=None)
        self.average = averages.get(self.kind, most)
        if self.average is not before and self.average is not None:
            self.marks = fiducials(self.average)
        return self.average is not before

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
        self._draw_marks(painter, plot, average)
        self._draw_waves(painter, plot, wave, reach)
        self._draw_cursor(painter, plot, average)
        noise = float(np.median(average.noise[average.good])) * 1e15
        self.note = f"{average.kind} · {average.nave} beats · noise {noise:.0f} fT"

    def _draw_waves(self, painter: QPainter, plot: QRectF, wave: NDArray[np.float64], reach: float) -> None:
        ratio = self.devicePixelRatioF()
        width, height = int(plot.width() * ratio), int(plot.height() * ratio)
        count = wave.shape[1]
        self._pixels = np.zeros((height, width), dtype=np.uint32)
        middle, colours = np.full(count, height / 2), np.full(count, pixel(self.theme.trace), dtype=np.uint32)
        per_pixel = (len(wave) - 1) / width
        draw_traces(
            self._pixels, np.ascontiguousarray(wave), 0, per_pixel, False, 0, middle, np.zeros(count),
            height / 2 / reach, 0.5 * ratio, colours, 0, EVERYTHING,
        )  # fmt: skip
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(plot.topLeft(), image)

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

    def _draw_marks(self, painter: QPainter, plot: QRectF, average: Average) -> None:
        """Shade P, QRS and T and name their peaks."""
        start, span = average.time[0], average.time[-1] - average.time[0]
        marks = self.marks
        shade = QColor(self.theme.quiet)
        shade.setAlpha(28)
        for name, onset, peak, end in (
            ("P", marks.p_onset, marks.p_peak, marks.p_end),
            ("QRS", marks.qrs_onset, marks.r_peak, marks.qrs_end),
            ("T", marks.t_onset, marks.t_peak, marks.t_end),
        ):
            if not np.isfinite([onset, peak, end]).all():
                continue
            left, middle, right = (plot.left() + (t - start) / span * plot.width() for t in (onset, peak, end))
            painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), shade)
            write(painter, QRectF(middle - 20, plot.bottom() - 17, 40, 16), name, self.theme.quiet, bold=True)

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
        free = QRectF(x + 8, plot.top(), plot.right() - x - 8, 18)  # beside the line, where there is more room
        if x > plot.center().x():
            free = QRectF(plot.left(), plot.top(), x - plot.left() - 8, 18)
        write(painter, free, text, self.theme.accent, align="right" if x > plot.center().x() else "left")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the cursor."""
        self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Drag the cursor."""
        self._drag(event.position().x())

    def _drag(self, x: float) -> None:
        if self.average is not None and self._plot.width() > 0:
            share = (x - self._plot.left()) / self._plot.width()
            time = self.average.time
            self.move_cursor(float(time[0] + share * (time[-1] - time[0])))
