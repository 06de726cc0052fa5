"""The averaged beat: every channel over each other, with a cursor to read it by."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QGraphicsItem

from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import Fiducials, fiducials
from zeromag.viz.feed import Feed
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.scale import round_up
from zeromag.viz.theme import Theme

WAVES = ("P", "QRS", "T")


class BeatPanel(PlotPanel):
    """One class's average; click for the cursor, or drag it."""

    title = "Averaged beat"
    waiting = "waiting for enough beats"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, left="pT", bottom="ms from R")
        self.kind = "normal"
        self.cursor_s = 0.0  # from R
        self.average: Average | None = None
        self.marks = Fiducials()
        self._regions = {name: pg.LinearRegionItem(movable=False, pen=pg.mkPen(None)) for name in WAVES}
        self._names = [
            pg.InfLineLabel(region.lines[0], name, position=0.06, anchors=[(0.12, 0.5), (0.12, 0.5)])
            for name, region in self._regions.items()
        ]
        small = QFont(self.font())
        small.setPixelSize(11)
        for label in self._names:
            label.setFont(small)
        self._curve = pg.PlotCurveItem(name="channels", antialias=True)
        # The cursor moves over the waves far more often than they change.
        self._curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._cursor = pg.InfiniteLine(
            angle=90, movable=True, label="", labelOpts={"position": 0.94, "anchors": [(0, 0.5), (1, 0.5)]}
        )
        self._cursor.sigDragged.connect(lambda cursor: self.move_cursor(cursor.value() / 1e3))
        for item in (*self._regions.values(), self._curve, self._cursor):
            self.plot.addItem(item, ignoreBounds=True)

    def refresh(self, feed: Feed) -> bool:
        """Take the class's average, or the one with most beats when there is none of it."""
        averages, before = feed.averages, self.average
        most = max(averages.values(), key=lambda average: average.nave, default=None)
        self.average = averages.get(self.kind, most)
        if self.average is before:
            return False
        if self.average is not None:
            self.marks = fiducials(self.average)
        self.show_data()
        return True

    def move_cursor(self, seconds: float) -> None:
        """Put the cursor at this time from R, inside the beat."""
        average = self.average
        if average is None:
            return
        self.cursor_s = float(min(max(seconds, average.time[0]), average.time[-1]))
        if not average.good.any():
            return
        row = average.wave[int(np.argmin(np.abs(average.time - self.cursor_s)))]
        shown = np.flatnonzero(average.good)
        top, low = shown[np.argmax(row[shown])], shown[np.argmin(row[shown])]
        names = average.sensors.names
        text = (
            f"R{self.cursor_s * 1e3:+.0f} ms   {names[top]} {row[top] * 1e12:+.1f} pT   "
            f"{names[low]} {row[low] * 1e12:+.1f} pT"
        ).replace("-", "−")
        self._cursor.label.format = text.replace("{", "{{").replace("}", "}}")
        self._cursor.setValue(self.cursor_s * 1e3)
        self._cursor.label.setText(text)

    def show_data(self) -> None:
        """Draw the waves, what is P, QRS and T, and the cursor."""
        average = self.average
        if average is None or not average.good.any():
            self.plot.hide()
            return
        wave = average.wave[:, average.good] * 1e12
        joined = np.ones(wave.T.shape, dtype=np.int32)
        joined[:, -1] = 0  # a channel's last point is not joined to the next channel's first
        self._curve.setData(
            np.tile(average.time * 1e3, wave.shape[1]), wave.T.ravel(), connect=joined.ravel(),
            pen=pg.mkPen(self.theme.trace),
        )  # fmt: skip
        self._show_regions()
        self._cursor.setPen(pg.mkPen(self.theme.accent, width=2))
        self._cursor.setHoverPen(pg.mkPen(self.theme.text, width=2))
        self._cursor.label.setColor(self.theme.accent)
        ground = QColor(self.theme.panel)
        ground.setAlpha(200)
        self._cursor.label.fill = pg.mkBrush(ground)
        self.move_cursor(self.cursor_s)
        reach = round_up(float(np.abs(wave).max()))
        self.frame(average.time[0] * 1e3, average.time[-1] * 1e3, -reach, reach)
        noise = float(np.median(average.noise[average.good])) * 1e15
        self.note = f"{average.kind} · {average.nave} beats · noise {noise:.0f} fT"

    def pointed(self, x: float, y: float) -> None:
        """Put the cursor where was clicked."""
        del y
        self.move_cursor(x / 1e3)

    def _show_regions(self) -> None:
        """Shade P, QRS and T, those that were found."""
        marks = self.marks
        shade = QColor(self.theme.quiet)
        shade.setAlpha(32)
        ends = (
            (marks.p_onset, marks.p_end), (marks.qrs_onset, marks.qrs_end), (marks.t_onset, marks.t_end)
        )  # fmt: skip
        for region, name, (onset, end) in zip(self._regions.values(), self._names, ends, strict=True):
            region.setVisible(bool(np.isfinite([onset, end]).all()))
            region.setBrush(pg.mkBrush(shade))
            name.setColor(self.theme.quiet)
            if region.isVisible():
                region.setRegion((onset * 1e3, end * 1e3))
