"""The running traces, swept at true speed like a monitor's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from zeromag.viz.feed import Feed, Stream
from zeromag.viz.panel import Panel, line, pixel, write
from zeromag.viz.raster import draw_traces
from zeromag.viz.scale import limit_above, round_up
from zeromag.viz.theme import Theme

SPEEDS = (12.5, 25.0, 50.0)  # mm/s
ERASE = 12  # px left empty ahead of the newest sample
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
        self._pixels: NDArray[np.uint32] = np.zeros((1, 1), dtype=np.uint32)
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
        rows, first = stream.values.newest(int(width * per_pixel) + 2)
        rows = np.ascontiguousarray(rows[:, columns])
        pitch = height / (1 if self.butterfly else len(columns))
        middle = np.array([((0 if self.butterfly else k) + 0.5) * pitch for k in range(len(columns))])
        self._settle(rows, first + len(rows), stream.rate, pitch)
        colours = np.array([self._colour(stream.sensors.names[c]) for c in columns], dtype=np.uint32)
        self._pixels = np.full((height, width), pixel(self.theme.panel), dtype=np.uint32)
        draw_traces(
            self._pixels, rows, first, per_pixel, self.sweep, ERASE, middle, self._zero, self.gain, 0.65, colours
        )
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        painter.drawImage(int(area.left()) + LABELS, int(area.top()), image)
        if not self.butterfly:
            for c, y in zip(columns, middle, strict=True):
                name = stream.sensors.names[c]
                box = QRectF(area.left(), area.top() + y - 8, LABELS - 6, 16)
                write(painter, box, name, self.theme.alarm if name in self._bad else self.theme.quiet, align="left")
        self._calibration(painter, area)
        self._drawn = self.drawn_t_ns != self._pending_t_ns
        self.drawn_t_ns = self._pending_t_ns

    def _settle(self, rows: NDArray[np.float64], stop: int, rate: float, pitch: float) -> None:
        """Move the zero lines to the traces' medians once a second, and choose the gain the first time."""
        if len(self._zero) == rows.shape[1] and stop - self._settled < rate and self.gain > 0:
            return
        seen = rows[:: max(1, len(rows) // 500)]
        seen = seen[np.isfinite(seen).all(axis=1)]
        if len(seen) < 2:
            self._zero, self.gain = np.zeros(rows.shape[1]), self.gain or 1e12
            return
        self._zero = np.median(seen, axis=0)
        self._settled = stop
        if self.gain == 0.0 or self._young:
            reach = np.percentile(np.abs(seen - self._zero), 99.5, axis=0)
            share = 0.45 if pitch > 30 else 0.9  # many rows may reach into each other
            self.gain = share * pitch / limit_above(max(float(np.percentile(reach, 75)), 1e-14))
            self._young = len(seen) * max(1, len(rows) // 500) < 2 * rate

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
        line(painter, (x, y), (x, y - size), self.theme.accent, 3)
        box = QRectF(x - 76, y - size / 2 - 8, 70, 16)
        write(painter, box, f"{field * 1e12:g} pT", self.theme.accent, align="right")
