"""The sensors on a map, painted once: hundreds of circles take longer than everything else in a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

RADIUS = 2.5  # px
CROSS = 5.0  # px from the middle to an end
MARGIN = 8  # px around the map that marks may reach into


class SensorMarks:
    """A circle a sensor, a cross on a bad one; painted anew when a place, a state or the size has changed."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._pixmap = QPixmap()

    def draw(
        self,
        painter: QPainter,
        box: QRectF,
        across: NDArray[np.float64],
        down: NDArray[np.float64],
        bad: Sequence[bool],
    ) -> None:
        """Put the marks at these pixels of the painter, all in or beside `box`."""
        area = box.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).toAlignedRect()
        ratio = painter.device().devicePixelRatioF()
        of = (area.getRect(), across.tobytes(), down.tobytes(), tuple(bad), ratio)
        if of != self._of:
            self._of = of
            self._pixmap = QPixmap(area.size() * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            marks = QPainter(self._pixmap)
            marks.setRenderHint(QPainter.RenderHint.Antialiasing)
            marks.translate(-area.topLeft())
            for x, y, crossed in zip(across.tolist(), down.tolist(), bad, strict=True):
                _mark(marks, x, y, crossed=crossed)
            marks.end()
        painter.drawPixmap(area.topLeft(), self._pixmap)


def _mark(painter: QPainter, x: float, y: float, *, crossed: bool) -> None:
    if crossed:
        painter.setPen(QPen(QColor("#000000"), 2))
        painter.drawLine(QPointF(x - CROSS, y - CROSS), QPointF(x + CROSS, y + CROSS))
        painter.drawLine(QPointF(x - CROSS, y + CROSS), QPointF(x + CROSS, y - CROSS))
    else:
        painter.setPen(QPen(QColor(20, 26, 33, 150), 1.2))
        painter.drawEllipse(QPointF(x, y), RADIUS, RADIUS)
