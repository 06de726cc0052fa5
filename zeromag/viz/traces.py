"""The running traces, swept at true speed like a monitor's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from zeromag.viz.feed import Feed, Stream
from zeromag.viz.panel import Panel, line, pixel, write
from zeromag.viz.scale import limit_above, round_up
from zeromag.viz.strip import Look, Strip
from zeromag.viz.theme import Theme

SPEEDS = (12.5, 25.0, 50.0)  # mm/s
LABELS = 40  # px left of the traces


class Traces(Panel):
    """Rows of chosen channels, or all of them over each other (`butterfly`)."""

    title = "Traces"

    def __init__(self, theme: Theme, *, rows: int = 8, butterfly: bool = False) -> None:
        super().__init__(theme)
        self.rows = rows  # at most so many, evenly chosen
        self.butterfly = butterfly
        self.speed = 25.0  # mm/s
        self.sweep = True
        self.gain = 0.0  # px per T; 0: choose once there is something to see
        self.drawn_t_ns = 0  # the newest sample in the picture, by the device's clock
        self.stream: Stream | None = None
        self._bad: set[str] = set()
        self._zero: NDArray[np.float64] = np.zeros(0)
        self._drawn = False  # painted anew since somebody asked
        self._seen = 0  # stream index after the newest sample
        self._settled = 0  # sample at which the zero lines were last moved
        self.strip = Strip()
        self._labels: tuple[object, QPixmap] = (None, QPixmap())
        self._pending_t_ns = 0

    def refresh(self, feed: Feed) -> bool:
        """Take the stream and the channels' states."""
        if feed.stream is not self.stream:
            self.gain, self._zero, self._settled = 0.0, np.zeros(0), 0
        self.stream = feed.stream
        self._bad = feed.status.bad()
        self._pending_t_ns = feed.t_ns
        seen = self._seen
        self._seen = self.stream.values.stop if self.stream else 0
        return self._seen != seen

    def chosen(self) -> list[int]:
        """Return the columns that are shown: heart channels, evenly thinned to `rows`."""
        if self.stream is None:
            return []
        sensors = self.stream.sensors
        columns = sensors.of_kind("mag").tolist() or list(range(len(sensors)))
        if self.butterfly or len(columns) <= self.rows:
            return columns
        at = np.linspace(0, len(columns) - 1, self.rows).round().astype(int)
        return [columns[k] for k in at]

    def take_drawn(self) -> bool:
        """Return whether a new picture was painted since the last call."""
        drawn, self._drawn = self._drawn, False
        return drawn

    def pixels_per_mm(self) -> float:
        """Return the screen's resolution; a screen that does not know it counts as 96 dpi."""
        dpi = self.physicalDpiX()
        return (dpi if 40 <= dpi <= 600 else 96) / 25.4

    def magnify(self, factor: float) -> None:
        """Make the traces higher or lower."""
        self.gain *= factor

    def fit(self) -> None:
        """Choose the gain anew from what is visible."""
        self.gain = 0.0
        self._settled = 0

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint rows, names, calibration bar and speed."""
        stream, columns = self.stream, self.chosen()
        width, height = int(area.width()) - LABELS, int(area.height())
        if stream is None or not columns or width < 20 or height < 20:
            write(painter, area, "waiting for the first samples", self.theme.quiet, size=13)
            return
        per_pixel = stream.rate / (self.speed * self.pixels_per_mm())
        self._settle(stream, columns, int(width * per_pixel), height / (1 if self.butterfly else len(columns)))
        names = [stream.sensors.names[c] for c in columns]
        ratio = self.devicePixelRatioF()
        wide, high = int(width * ratio), int(height * ratio)
        look = Look(
            wide, high, tuple(columns), tuple(self._colour(name) for name in names), pixel(self.theme.panel),
            per_pixel / ratio, self.gain * ratio, tuple(self._zero.tolist()), self.butterfly, self.sweep, ratio,
        )  # fmt: skip
        pixels = self.strip.draw(stream, look)
        image = QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(int(area.left()) + LABELS, int(area.top()), image)
        if not self.butterfly:
            painter.drawPixmap(area.topLeft(), self._names(names, height))
        self._calibration(painter, area)
        self._drawn = self.drawn_t_ns != self._pending_t_ns
        self.drawn_t_ns = self._pending_t_ns

    def _names(self, names: list[str], height: int) -> QPixmap:
        """Return the traces' names, painted once for each size, choice and state."""
        ratio = self.devicePixelRatioF()
        key = (tuple(names), height, frozenset(self._bad), self.theme.name, ratio)
        if key != self._labels[0]:
            pixmap = QPixmap(int((LABELS - 4) * ratio), int(height * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(QColor(self.theme.panel))
            painter = QPainter(pixmap)
            pitch = height / len(names)
            every = max(1, math.ceil(13 / pitch))  # lines of type must not lie on each other
            for k, name in enumerate(names):
                bad = name in self._bad
                if bad or k % every == 0:
                    box = QRectF(0, (k + 0.5) * pitch - 8, LABELS - 6, 16)
                    write(painter, box, name, self.theme.alarm if bad else self.theme.quiet, align="left")
            painter.end()
            self._labels = (key, pixmap)
        return self._labels[1]

    def _settle(self, stream: Stream, columns: list[int], samples: int, pitch: float) -> None:
        """Move the zero lines to the traces' medians every two seconds, and choose the gain the first time."""
        stop, rate = stream.values.stop, stream.rate
        if len(self._zero) == len(columns) and stop - self._settled < 2 * rate and self.gain > 0:
            return
        every = max(1, samples // 500)
        seen, _ = stream.values.newest(samples, every=every, columns=columns)
        seen = seen[np.isfinite(seen).all(axis=1)]
        if len(seen) < 2:
            self._zero, self.gain = np.zeros(len(columns)), self.gain or 1e12
            return
        self._zero = np.median(seen, axis=0)
        self._settled = stop
        if self.gain == 0.0 or self._young:
            reach = np.percentile(np.abs(seen - self._zero), 99.5, axis=0)
            share = 0.45 if pitch > 30 else 0.9  # many rows may reach into each other
            self.gain = share * pitch / limit_above(max(float(np.percentile(reach, 75)), 1e-14))
            self._young = len(seen) * every < 2 * rate

    _young = True  # the gain was chosen from less than two seconds

    def _colour(self, name: str) -> int:
        return pixel(self.theme.bad_trace if name in self._bad else self.theme.trace)

    def _calibration(self, painter: QPainter, area: QRectF) -> None:
        """Print speed and gain, and draw the bar they mean."""
        field = round_up(18 / self.gain) if self.gain > 0 else 1e-12  # a bar of 18 px or more
        size = field * self.gain
        per_mm = self.pixels_per_mm() / self.gain * 1e12
        mode = "sweep" if self.sweep else "scroll"
        self.note = f"{self.speed:g} mm/s {mode} · {per_mm:.3g} pT/mm"
        x, y = area.right() - 8, area.bottom() - 4
        text = f"{field * 1e12:g} pT"
        box = QRectF(x - 14 - 8 * len(text), y - size / 2 - 8, 8 * len(text) + 6, 16)
        painter.fillRect(box.adjusted(0, 0, 10, 0), QColor(self.theme.panel))  # a trace may run there
        line(painter, (x, y), (x, y - size), self.theme.accent, 3)
        write(painter, box, text, self.theme.accent, align="right")
