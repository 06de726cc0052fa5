"""Noise: every heart channel's spectrum in fT/√Hz, its median, and the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, write
from zeromag.viz.spectrum import amplitude_spectrum, noise_floor
from zeromag.viz.theme import Theme

SECONDS = 8.0  # of signal
EVERY = 1.0  # s between two looks


class SpectrumPanel(Panel):
    """Both axes logarithmic; what is shown is the cleaned signal, so the heart stands out below 40 Hz."""

    title = "Spectrum after cleaning"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.frequency: NDArray[np.float64] = np.zeros(0)
        self.spectrum: NDArray[np.float64] = np.zeros((0, 0))  # (n_frequencies, n_channels) T/√Hz
        self.floor = float("nan")  # T/√Hz, the channels' median between 60 and 95 Hz
        self._looked = 0  # stream index of the last look

    def refresh(self, feed: Feed) -> bool:
        """Look once a second of signal."""
        stream = feed.stream
        if stream is None or 0 <= stream.values.stop - self._looked < EVERY * stream.rate:
            return False
        self._looked = stream.values.stop
        bad = feed.status.bad()
        columns = [c for c in stream.sensors.of_kind("mag").tolist() if stream.sensors.names[c] not in bad]
        rows, _ = stream.values.newest(round(SECONDS * stream.rate))
        length = min(int(2 * stream.rate), len(rows))
        if not columns or length < 16:
            return False
        self.frequency, self.spectrum = amplitude_spectrum(rows[:, columns], stream.rate, length)
        self.floor = float(np.median(noise_floor(rows[:, columns], stream.rate)))
        return True

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the axes and the curves."""
        seen = (self.frequency >= 1) & (self.frequency <= 150)
        values = self.spectrum[seen] * 1e15
        if not values.size or not (values > 0).any():
            write(painter, area, "waiting for two seconds of signal", self.theme.quiet, size=13)
            return
        plot = area.adjusted(44, 2, -8, -20)
        low = 10 ** np.floor(np.log10(max(np.percentile(values[values > 0], 1), 0.1)))
        high = 10 ** np.ceil(np.log10(max(values.max(), 10 * low)))
        x_all = plot.left() + np.log10(self.frequency[seen]) / np.log10(150) * plot.width()
        self._draw_axes(painter, plot, float(low), float(high))

        def curve(row: NDArray[np.float64], colour: QColor, width: float) -> None:
            share = np.log10(np.maximum(row, low) / low) / np.log10(high / low)
            y_all = plot.bottom() - share * plot.height()
            points = [QPointF(x, y) for x, y in zip(x_all.tolist(), y_all.tolist(), strict=True)]
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(QPolygonF(points))

        faint = QColor(self.theme.trace)
        faint.setAlpha(70)
        for column in values.T[:: max(1, values.shape[1] // 16)]:
            curve(column, faint, 1)
        curve(np.median(values, axis=1), QColor(self.theme.accent), 2)
        self.note = f"noise {self.floor * 1e15:.0f} fT/√Hz" if np.isfinite(self.floor) else ""

    def _draw_axes(self, painter: QPainter, plot: QRectF, low: float, high: float) -> None:
        for hertz in (1, 2, 5, 10, 20, 50, 100):
            x = plot.left() + np.log10(hertz) / np.log10(150) * plot.width()
            line(painter, (x, plot.top()), (x, plot.bottom()), self.theme.line, 1)
            write(painter, QRectF(x - 20, plot.bottom() + 2, 40, 16), f"{hertz}", self.theme.quiet)
        write(painter, QRectF(plot.right() - 14, plot.bottom() + 2, 22, 16), "Hz", self.theme.quiet, align="right")
        decades = round(np.log10(high / low))
        for k in range(decades + 1):
            y = plot.bottom() - k / decades * plot.height()
            line(painter, (plot.left(), y), (plot.right(), y), self.theme.line, 1)
            value = low * 10**k
            text = f"{value / 1000:g} pT" if value >= 1000 else f"{value:g} fT"
            write(painter, QRectF(plot.left() - 48, y - 8, 43, 16), text, self.theme.quiet, size=10, align="right")
