"""The live field map: what the heart's field looks like over the chest, seen from the front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from zeromag.mapping.mapper import Mapper
from zeromag.sensors import SensorArray
from zeromag.viz.feed import Feed, LiveMap
from zeromag.viz.isolines import isolines
from zeromag.viz.outline import outline
from zeromag.viz.palette import colour_indices, diverging, on_screen, opacity
from zeromag.viz.panel import Panel, write, write_lines
from zeromag.viz.places import edges, heart_places
from zeromag.viz.pole_marks import CLEAR, clear_poles, pole_words
from zeromag.viz.scale import arrow_sizes, isoline_step
from zeromag.viz.sensor_marks import SensorMarks
from zeromag.viz.theme import INTO_CHEST, OUT_OF_CHEST, Theme

BAR = 92  # px for the colour bar and its words
ARROW = 30  # px from one arrow to the next, at least


class FieldMapPanel(Panel):
    """Colours, isolines, sensors and pseudo-current; the viewer faces the patient, head up."""

    title = "Field out of the chest"
    waiting = "waiting for the first map"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.arrows = True
        self.lines = True
        self.marks = True  # the sensors
        self.poles = True
        self.map: LiveMap | None = None
        self.limit = 1e-12  # T at the ends of the colour bar
        self.setMinimumSize(280, 240)
        self._places: list[tuple[str, float, float]] = []
        self._sensors: SensorArray | None = None
        self._why_not = ""  # the reason when this array carries no map
        self._bad: set[str] = set()
        self._marks = SensorMarks()
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), dtype=np.uint32)

    def refresh(self, feed: Feed) -> bool:
        """Take the newest map, its scale, and where the sensors are."""
        before, why_not = self.map, self._why_not
        self.map = feed.map
        self.limit = feed.scale.limit or 1e-12
        self.know_sensors(feed)
        return self.map is not before or self._why_not != why_not

    def know_sensors(self, feed: Feed) -> None:
        """Take where the sensors are, and which are bad."""
        self._bad = feed.status.bad()
        sensors = feed.stream.sensors if feed.stream else None
        if sensors is not self._sensors:
            self._sensors = sensors
            self._why_not = Mapper().why_not(sensors) if sensors else ""
            self._places = heart_places(sensors) if sensors else []

    def picture(self, area: QRectF) -> QRectF:
        """Return the rectangle of the map inside `area`, true in shape."""
        room = area.adjusted(16, 14, -BAR, -30)
        if self.map is None:
            return room
        left, right, foot, head = edges(self.map.grid)
        size = min(room.width() / (right - left), room.height() / (head - foot))
        width, height = round(size * (right - left)), round(size * (head - foot))  # whole pixels: sharp edges
        return QRectF(round(room.center().x() - width / 2), round(room.center().y() - height / 2), width, height)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the map with everything on it."""
        shown = self.map
        if shown is None:
            write_lines(painter, area, self._why_not or self.waiting, self.theme.quiet)
            return
        box = self.picture(area)
        painter.fillRect(box, QColor(self.theme.unseen))  # what faint colours fade to
        self._draw_field(painter, box, shown)
        step = isoline_step(self.limit)
        self._cover_unseen(painter, box, shown)
        if self.lines:
            self._draw_lines(painter, box, shown, step)
        if self.marks:
            self._draw_sensors(painter, box, shown)
        if self.arrows:
            self._draw_arrows(painter, box, shown)
        self.note = self.words(step)
        if self.poles:
            self.draw_poles(painter, box, shown)
        middle = box.center()
        for text, x, y in (
            ("R", box.left() - 10, middle.y()),
            ("L", box.right() + 10, middle.y()),
            ("head", middle.x(), box.top() - 8),
            ("foot", middle.x(), box.bottom() + 9),
        ):
            write(painter, QRectF(x - 24, y - 9, 48, 18), text, self.theme.text, size=12, bold=len(text) == 1)
        self._draw_bar(painter, QRectF(area.right() - BAR + 26, box.top(), 16, box.height()))

    def words(self, step: float) -> str:
        """Return what is printed beside the title; `step` between isolines in T."""
        return f"{step * 1e12:g} pT lines · pseudo-current"

    def _draw_field(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        colours = diverging()[colour_indices(on_screen(shown.bz), self.limit)].astype(np.uint32)
        # Values go on beyond what is seen; what shows of them there is covered, so that the edge is no staircase.
        alpha = on_screen(opacity(shown.bz_sd, self.limit, np.isfinite(shown.bz))).astype(np.uint32)
        self._pixels = np.ascontiguousarray(
            alpha << 24 | colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
        )
        height, width = self._pixels.shape
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, image)

    def _cover_unseen(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        around = QPainterPath()  # odd and even: what lies between the box and the lines within
        around.addRect(box)
        for line in outline(shown.grid):
            x, y = to_screen(box, shown, line[:, 0], line[:, 1])
            around.addPolygon(QPolygonF([QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]))
        painter.fillPath(around, QColor(self.theme.unseen))

    def _draw_lines(self, painter: QPainter, box: QRectF, shown: LiveMap, step: float) -> None:
        paths = {kind: QPainterPath() for kind in (-1, 0, 1)}
        found = isolines(shown.grid, shown.bz, self.limit, step)
        if found:
            points = np.concatenate([isoline.points for isoline in found])
            x, y = (part.tolist() for part in to_screen(box, shown, points[:, 0], points[:, 1]))
        at = 0
        for isoline in found:
            path = paths[int(np.sign(round(isoline.level / step)))]
            path.moveTo(x[at], y[at])
            for k in range(at + 1, at + len(isoline.points)):
                path.lineTo(x[k], y[k])
            at += len(isoline.points)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ink = QColor(20, 26, 33, 190)
        for kind, width, style in (
            (-1, 1.0, Qt.PenStyle.DashLine),
            (1, 1.0, Qt.PenStyle.SolidLine),
            (0, 2.4, Qt.PenStyle.SolidLine),
        ):
            painter.setPen(QPen(ink, width, style))
            painter.drawPath(paths[kind])

    def _draw_sensors(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        if not self._places:
            return
        names, x_m, y_m = zip(*self._places, strict=True)
        across, down = to_screen(box, shown, np.array(x_m), np.array(y_m))
        self._marks.draw(painter, box, across, down, [name in self._bad for name in names])

    def _draw_arrows(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        every = max(1, round(ARROW * shown.bz.shape[1] / box.width()))
        rows = slice(every // 2, None, every)
        seen = shown.grid.mask[rows, rows]
        jx, jy = (np.where(seen, part[rows, rows], 0.0) for part in (shown.jx, shown.jy))
        jx, jy = arrow_sizes(jx, jy, self.limit)
        strong = (jx != 0) | (jy != 0)
        if not strong.any():
            return
        x, y = np.meshgrid(*to_screen(box, shown, shown.grid.x[rows], shown.grid.y[rows]))
        longest = 1.3 * box.width() * every / shown.bz.shape[1]
        painter.setPen(QPen(QColor(10, 14, 18), 1.6))
        painter.save()
        painter.setClipRect(box)  # none beside the map
        painter.drawLines(arrows(x[strong], y[strong], jx[strong] * longest, -jy[strong] * longest))
        painter.restore()

    def draw_poles(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        """Mark where the field is strongest either way, and print the angle from plus to minus."""
        found = clear_poles(shown.grid, shown.bz, CLEAR * self.limit)
        if found is None:
            return
        places = np.array([found.plus, found.minus])
        x, y = (part.tolist() for part in to_screen(box, shown, places[:, 0], places[:, 1]))
        painter.setPen(QPen(QColor("#ffffff"), 1.4, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(x[0], y[0], x[1], y[1]))
        for sign, at_x, at_y in (("+", x[0], y[0]), ("−", x[1], y[1])):
            painter.setPen(QPen(QColor("#ffffff"), 1.4))
            painter.setBrush(QColor(20, 26, 33))
            painter.drawEllipse(QPointF(at_x, at_y), 7, 7)
            write(painter, QRectF(at_x - 7, at_y - 8, 14, 15), sign, "#ffffff", size=12, bold=True)
        label = QRectF(box.left(), box.bottom() + 15, box.width(), 15)
        write(painter, label, pole_words(found), self.theme.quiet, size=10, align="right")

    def _draw_bar(self, painter: QPainter, bar: QRectF) -> None:
        colours = np.ascontiguousarray(diverging()[::-1].astype(np.uint32))
        column = np.ascontiguousarray(255 << 24 | colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2])
        painter.drawImage(bar, QImage(column.data, 1, 256, 4, QImage.Format.Format_RGB32))
        for share, value in (
            (0.0, self.limit),
            (0.25, self.limit / 2),
            (0.5, 0.0),
            (0.75, -self.limit / 2),
            (1.0, -self.limit),
        ):
            y = bar.top() + share * bar.height()
            text = f"{value * 1e12:+g}".replace("-", "−") if value else "0"
            write(painter, QRectF(bar.right() + 4, y - 8, 46, 16), text, self.theme.text, align="left")
        write(painter, QRectF(bar.right() + 4, bar.top() + 12, 46, 16), "pT", self.theme.quiet, align="left")
        painter.save()
        painter.translate(bar.left() - 10, bar.center().y())
        painter.rotate(-90)
        half, size = bar.height() / 2, 11 if bar.height() > 220 else 9
        write(painter, QRectF(0, -9, half, 18), OUT_OF_CHEST, self.theme.text, size=size)
        write(painter, QRectF(-half, -9, half, 18), INTO_CHEST, self.theme.text, size=size)
        painter.restore()


def to_screen(
    box: QRectF, shown: LiveMap, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pixels of places (m): patient's left to the right of the screen, head up."""
    left, right, foot, head = edges(shown.grid)
    across = box.left() + (x - left) / (right - left) * box.width()
    down = box.bottom() - (y - foot) / (head - foot) * box.height()
    return across, down


def arrows(
    x: NDArray[np.floating], y: NDArray[np.floating], dx: NDArray[np.floating], dy: NDArray[np.floating]
) -> list[QLineF]:
    """Return shafts and heads of arrows whose middles are at (x, y), all in pixels."""
    tip_x, tip_y = x + dx / 2, y + dy / 2
    shafts = np.stack([x - dx / 2, y - dy / 2, tip_x, tip_y], axis=1)
    barbs = [
        np.stack([tip_x, tip_y, tip_x - 0.35 * dx + side * dy, tip_y - 0.35 * dy - side * dx], axis=1)
        for side in (0.2, -0.2)
    ]
    return [QLineF(*ends) for ends in np.concatenate([shafts, *barbs]).tolist()]
