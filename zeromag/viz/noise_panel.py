"""The array's noise: each sensor's floor as a number at its place, the worst ones told by colour and weight."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, write
from zeromag.viz.places import heart_places
from zeromag.viz.spectrum import noise_floor
from zeromag.viz.theme import Theme

EVERY = 2.0  # s
SECONDS = 8.0
LOUD = 2.0  # times the array's median


class NoisePanel(Panel):
    """A tile a sensor with its floor in fT/√Hz between 60 and 95 Hz."""

    title = "Noise over the array"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._looked = 0
        self._places: list[tuple[str, float, float]] = []
        self._floor: dict[str, float] = {}  # T/√Hz
        self._bad: set[str] = set()

    def refresh(self, feed: Feed) -> bool:
        """Look every two seconds of signal."""
        stream = feed.stream
        if stream is None or 0 <= stream.values.stop - self._looked < EVERY * stream.rate:
            return False
        self._looked, self._bad = stream.values.stop, feed.status.bad()
        rows, _ = stream.values.newest(round(SECONDS * stream.rate))
        self._places = heart_places(stream.sensors)
        self._floor = dict(zip(stream.sensors.names, noise_floor(rows, stream.rate).tolist(), strict=True))
        return True

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the tiles."""
        known = [self._floor[n] for n, *_ in self._places if n not in self._bad and np.isfinite(self._floor[n])]
        if not known:
            write(painter, area, "waiting for sensors with places", self.theme.quiet, size=13)
            return
        usual = float(np.median(known))
        x, y = np.array([p[1] for p in self._places]), np.array([p[2] for p in self._places])
        columns, rows = len(np.unique(x.round(3))), len(np.unique(y.round(3)))
        wide, high = area.width() / max(columns, 1), area.height() / max(rows, 1)
        across, down = max(float(np.ptp(x)), 1e-9), max(float(np.ptp(y)), 1e-9)
        for name, at_x, at_y in self._places:
            left = area.left() + (at_x - x.min()) / across * (area.width() - wide)
            top = area.top() + (y.max() - at_y) / down * (area.height() - high)
            self._draw_tile(painter, QRectF(left, top, wide, high).adjusted(2, 2, -2, -2), name, usual)
        self.note = f"fT/√Hz · median {usual * 1e15:.0f}"

    def _draw_tile(self, painter: QPainter, tile: QRectF, name: str, usual: float) -> None:
        value, bad = self._floor[name], name in self._bad
        loud = not bad and value > LOUD * usual
        tone = self.theme.alarm if bad else self.theme.warning if loud else self.theme.good
        painter.setPen(QPen(QColor(tone), 2 if loud or bad else 1))
        painter.setBrush(QColor(self.theme.window))
        painter.drawRect(tile)
        half = tile.height() / 2
        write(painter, tile.adjusted(2, 0, -2, -half), name, self.theme.quiet, size=10)
        text = f"{value * 1e15:.0f}" if np.isfinite(value) else "—"
        write(
            painter,
            tile.adjusted(2, half - 4, -2, 0),
            text,
            tone if loud or bad else self.theme.text,
            size=12,
            bold=True,
        )
        if bad:
            line(painter, (tile.left(), tile.top()), (tile.right(), tile.bottom()), self.theme.alarm, 1.2)
            line(painter, (tile.left(), tile.bottom()), (tile.right(), tile.top()), self.theme.alarm, 1.2)
