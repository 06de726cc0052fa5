"""Noise: every heart channel's spectrum in fT/√Hz, its median, and the floor."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from zeromag.viz.feed import Feed
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.spectrum import amplitude_spectrum, noise_floor
from zeromag.viz.theme import Theme

SECONDS = 8.0  # of signal
EVERY = 1.0  # s between two looks
BAND = (1.0, 150.0)  # Hz
HERTZ = (1, 2, 5, 10, 20, 50, 100)
CURVES = 16  # single channels shown behind the median


class SpectrumPanel(PlotPanel):
    """Both axes logarithmic; what is shown is the cleaned signal, so the heart stands out below 40 Hz."""

    title = "Spectrum after cleaning"
    waiting = "waiting for two seconds of signal"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, left="fT/√Hz", bottom="Hz")
        self.frequency: NDArray[np.float64] = np.zeros(0)
        self.spectrum: NDArray[np.float64] = np.zeros((0, 0))  # (n_frequencies, n_channels) T/√Hz
        self.floor = float("nan")  # T/√Hz, the channels' median between 60 and 95 Hz
        self._looked = 0  # stream index of the last look
        self.plot.setLogMode(x=True, y=True)
        self._item.getAxis("bottom").setTicks([[(np.log10(hertz), str(hertz)) for hertz in HERTZ]])
        self._channels = self.plot.plot(name="channels", antialias=True)
        self._median = self.plot.plot(name="median", antialias=True)
        self._floor_line = pg.InfiniteLine(
            angle=0, label="floor", labelOpts={"position": 0.04, "anchors": [(0, 1)] * 2}
        )
        self.plot.addItem(self._floor_line, ignoreBounds=True)

    def refresh(self, feed: Feed) -> bool:
        """Look once a second of signal."""
        stream = feed.stream
        if stream is None or 0 <= stream.values.stop - self._looked < EVERY * stream.rate:
            return False
        self._looked = stream.values.stop
        bad = feed.status.bad()
        columns = [c for c in stream.sensors.of_kind("mag").tolist() if stream.sensors.names[c] not in bad]
        rows, _ = stream.values.newest(round(SECONDS * stream.rate), columns=columns)
        length = min(int(2 * stream.rate), len(rows))
        if not columns or length < 16:
            return False
        self.frequency, self.spectrum = amplitude_spectrum(rows, stream.rate, length)
        self.floor = float(np.median(noise_floor(rows, stream.rate)))
        self.show_data()
        return True

    def show_data(self) -> None:
        """Draw the channels' curves and their median."""
        seen = (self.frequency >= BAND[0]) & (self.frequency <= BAND[1])
        values = self.spectrum[seen] * 1e15
        if not values.size or not (values > 0).any():
            return
        low = np.floor(np.log10(max(np.percentile(values[values > 0], 1), 0.1)))
        high = max(np.ceil(np.log10(values.max())), low + 1)
        values = np.maximum(values, 10**low)
        few = values.T[:: max(1, values.shape[1] // CURVES)]
        joined = np.ones(few.shape, dtype=np.int32)
        joined[:, -1] = 0  # a channel's last point is not joined to the next channel's first
        faint = QColor(self.theme.trace)
        faint.setAlpha(70)
        self._channels.setData(
            np.tile(self.frequency[seen], len(few)), few.ravel(), connect=joined.ravel(), pen=pg.mkPen(faint)
        )
        self._median.setData(self.frequency[seen], np.median(values, axis=1), pen=pg.mkPen(self.theme.accent, width=2))
        self._floor_line.setVisible(bool(self.floor > 0))
        if self.floor > 0:
            self._floor_line.setPen(pg.mkPen(self.theme.good, width=1, style=Qt.PenStyle.DashLine))
            self._floor_line.label.setColor(self.theme.good)
            self._floor_line.setValue(np.log10(self.floor * 1e15))
        self.frame(np.log10(BAND[0]), np.log10(BAND[1]), low, high)
        self.note = f"noise {self.floor * 1e15:.0f} fT/√Hz" if np.isfinite(self.floor) else ""
