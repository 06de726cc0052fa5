"""Every sensor's averaged beat at its place in the array; without an average, its last two seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from zeromag.mapping.average import MAIN, Average
from zeromag.viz.feed import Feed, Stream
from zeromag.viz.panel import Panel, line, pixel, write, write_lines
from zeromag.viz.places import FEW_PLACES, heart_places, pitch
from zeromag.viz.raster import EVERYTHING, draw_traces
from zeromag.viz.scale import round_up
from zeromag.viz.theme import Theme

SECONDS = 2.0


class ArrayPanel(Panel):
    """One small picture a sensor, all on one scale; bad ones are crossed."""

    title = "Sensors at their places"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.setMinimumSize(280, 240)
        self._stream: Stream | None = None
        self._average: Average | None = None
        self._bad: set[str] = set()
        self._seen = 0
        self._cells: list[NDArray[np.uint32]] = []

    def refresh(self, feed: Feed) -> bool:
        """Take the average of the scan's own heart, and the stream while there is none."""
        before = (self._average, self._seen if self._average is None else 0, self._bad)
        self._stream, self._average = (
            feed.stream,
            next((feed.averages[kind] for kind in MAIN if kind in feed.averages), None),
        )
        self._seen = self._stream.values.stop if self._stream else 0
        self._bad = feed.status.bad()
        return before != (self._average, self._seen if self._average is None else 0, self._bad)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint every sensor where it is, patient's left to the right, head up."""
        waves = self._waves()
        stream = self._stream
        places = heart_places(stream.sensors) if stream else []
        if waves is None or not places:
            why = FEW_PLACES if waves is not None else "waiting for samples"
            write_lines(painter, area, why, self.theme.quiet)
            return
        names, values = waves
        x, y = np.array([place[1] for place in places]), np.array([place[2] for place in places])
        apart = pitch(x, y)
        box = area.adjusted(16, 16, -16, -16)
        size = min(box.width() / (np.ptp(x) + apart), box.height() / (np.ptp(y) + apart))
        good = [k for k, name in enumerate(names) if name not in self._bad]
        reach = round_up(float(np.nanmax(np.abs(values[:, good]), initial=0.0)) or 1e-12) if good else 1e-12
        wide, high = max(8, int(apart * size) - 6), max(8, int(apart * size) - 8)
        self._cells = []
        for name, across, up in places:
            left = box.center().x() + (across - (x.max() + x.min()) / 2) * size - wide / 2
            top = box.center().y() - (up - (y.max() + y.min()) / 2) * size - high / 2
            cell = QRectF(left, top, wide, high)
            column = np.ascontiguousarray(values[:, [names.index(name)]])
            self._draw_cell(painter, cell, name, column, reach)
        for text, at_x, at_y in (
            ("R", area.left() + 6, box.center().y()),
            ("L", area.right() - 6, box.center().y()),
            ("head", box.center().x(), area.top() + 6),
            ("foot", box.center().x(), area.bottom() - 6),
        ):
            write(painter, QRectF(at_x - 24, at_y - 9, 48, 18), text, self.theme.text, size=12, bold=len(text) == 1)
        what = "averaged beat" if self._average is not None else f"last {SECONDS:g} s"
        self.note = f"{what} · full height ±{reach * 1e12:g} pT"

    def _waves(self) -> tuple[list[str], NDArray[np.float64]] | None:
        """Return names and waves (n_times, n_channels) T about zero."""
        if self._average is not None:
            return list(self._average.sensors.names), self._average.wave
        if self._stream is None or self._stream.values.stop == 0:
            return None
        rows, _ = self._stream.values.newest(round(SECONDS * self._stream.rate))
        rows = rows[np.isfinite(rows).all(axis=1)]
        if len(rows) < 2:
            return None
        return list(self._stream.sensors.names), rows - np.median(rows, axis=0)

    def _draw_cell(self, painter: QPainter, cell: QRectF, name: str, column: NDArray[np.float64], reach: float) -> None:
        wide, high = int(cell.width()), int(cell.height())
        bad = name in self._bad
        pixels = np.empty((high, wide), dtype=np.uint32)
        colours = np.array([pixel(self.theme.bad_trace if bad else self.theme.trace)], dtype=np.uint32)
        draw_traces(
            pixels, column, 0, (len(column) - 1) / wide, False, 0, np.array([high / 2]), np.zeros(1),
            high / 2 / reach, 0.5, colours, pixel(self.theme.window), EVERYTHING,
        )  # fmt: skip
        self._cells.append(pixels)  # the image borrows them
        painter.drawImage(cell.topLeft(), QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_RGB32))
        label = QRectF(cell.left() + 3, cell.top(), cell.width() - 6, 14)
        write(painter, label, name, self.theme.alarm if bad else self.theme.quiet, size=10, align="left")
        if bad:
            line(painter, (cell.left(), cell.top()), (cell.right(), cell.bottom()), self.theme.alarm, 1.2)
            line(painter, (cell.left(), cell.bottom()), (cell.right(), cell.top()), self.theme.alarm, 1.2)
