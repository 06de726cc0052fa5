"""The array's noise: each sensor's floor as a number at its place, the worst ones told by colour and weight."""

from __future__ import annotations

from html import escape

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from zeromag.viz.feed import Feed
from zeromag.viz.places import FEW_PLACES, heart_places, pitch
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.spectrum import noise_floor
from zeromag.viz.theme import Theme

EVERY = 2.0  # s
SECONDS = 8.0
LOUD = 2.0  # times the array's median
ROOM = 29  # px a sensor needs for its name and number
WIDE = 60.0  # px they may take


class NoisePanel(PlotPanel):
    """A tile a sensor with its floor in fT/√Hz between 60 and 95 Hz; the mouse over it tells the name."""

    title = "Noise over the array"
    waiting = "waiting for two seconds of signal"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, left="mm to the head", bottom="mm to the patient's left")
        self._looked = 0
        self._places: list[tuple[str, float, float]] = []
        self._floor: dict[str, float] = {}  # T/√Hz
        self._bad: set[str] = set()
        self._pitch = 0.04  # m
        self._tiles = pg.ScatterPlotItem(symbol="s", pxMode=False, hoverable=True, tip=_tip)
        self._crosses = pg.ScatterPlotItem(symbol="x", pxMode=False)
        self._numbers: list[pg.TextItem] = []
        self._labels: list[str] = []  # what they say
        self._item.showGrid(x=False, y=False)
        self._view.setAspectLocked(True)
        self._view.sigRangeChanged.connect(self._fit_numbers)
        self._view.sigResized.connect(self._fit_numbers)
        for marks in (self._tiles, self._crosses):
            self.plot.addItem(marks)

    def refresh(self, feed: Feed) -> bool:
        """Look every two seconds of signal."""
        stream = feed.stream
        if stream is None or 0 <= stream.values.stop - self._looked < EVERY * stream.rate:
            return False
        self._looked, self._bad = stream.values.stop, feed.status.bad()
        rows, _ = stream.values.newest(round(SECONDS * stream.rate))
        self._places = heart_places(stream.sensors)
        self.waiting = type(self).waiting if self._places else FEW_PLACES
        self._floor = dict(zip(stream.sensors.names, noise_floor(rows, stream.rate).tolist(), strict=True))
        self.show_data()
        return True

    def show_data(self) -> None:
        """Place the tiles and their numbers."""
        known = [self._floor[n] for n, *_ in self._places if n not in self._bad and np.isfinite(self._floor[n])]
        if not known:
            return
        usual = float(np.median(known))
        x, y = (np.array([place[k] for place in self._places]) * 1e3 for k in (1, 2))
        self._pitch = 1e3 * pitch(x / 1e3, y / 1e3)
        tones = [self._tone(name, usual) for name, *_ in self._places]
        texts = [f"{self._floor[n] * 1e15:.0f}" if np.isfinite(self._floor[n]) else "—" for n, *_ in self._places]
        plain = [tone == self.theme.good for tone in tones]
        self._tiles.setData(
            x, y, size=0.9 * self._pitch, brush=pg.mkBrush(self.theme.window),
            pen=[pg.mkPen(tone, width=1 if calm else 2) for tone, calm in zip(tones, plain, strict=True)],
            data=[f"{place[0]}  {text} fT/√Hz" for place, text in zip(self._places, texts, strict=True)],
            hoverPen=pg.mkPen(self.theme.accent, width=2),
        )  # fmt: skip
        bad = np.array([name in self._bad for name, *_ in self._places])
        self._crosses.setData(
            x[bad], y[bad], size=0.9 * self._pitch, pen=pg.mkPen(self.theme.alarm), brush=pg.mkBrush(None)
        )
        inks = [self.theme.text if calm else tone for tone, calm in zip(tones, plain, strict=True)]
        self._write(x, y, [self._label(place[0], *of) for place, *of in zip(self._places, texts, inks, strict=True)])
        edge = 0.6 * self._pitch
        self.frame(x.min() - edge, x.max() + edge, y.min() - edge, y.max() + edge)
        self._fit_numbers()
        self.note = f"fT/√Hz · median {usual * 1e15:.0f}"

    def _tone(self, name: str, usual: float) -> str:
        if name in self._bad:
            return self.theme.alarm
        return self.theme.warning if self._floor[name] > LOUD * usual else self.theme.good

    def _label(self, name: str, text: str, ink: str) -> str:
        return (
            f'<div align="center"><span style="font-size:9px; color:{self.theme.quiet}">{escape(name)}</span><br>'
            f'<span style="font-size:12px; font-weight:bold; color:{ink}">{text}</span></div>'
        )

    def _write(self, x: NDArray[np.float64], y: NDArray[np.float64], labels: list[str]) -> None:
        while len(self._numbers) > len(labels):
            self.plot.removeItem(self._numbers.pop())
            self._labels.pop()
        while len(self._numbers) < len(labels):
            self._numbers.append(pg.TextItem(anchor=(0.5, 0.5)))
            self._labels.append("")
            self.plot.addItem(self._numbers[-1], ignoreBounds=True)
        for number, at_x, at_y, label, before in zip(
            self._numbers, x.tolist(), y.tolist(), labels, self._labels, strict=True
        ):
            if label != before:  # most stay: setting one costs more than all the rest
                number.setHtml(label)
                number.setTextWidth(WIDE)
            number.setPos(at_x, at_y)
        self._labels = labels

    def _fit_numbers(self) -> None:
        """Leave the numbers out where the tiles are too small for them: zoom in, or point at one."""
        across, up = self._view.viewPixelSize()
        legible = across > 0 and up > 0 and self._pitch / across > ROOM
        for number in self._numbers:
            number.setVisible(legible)


def _tip(x: float, y: float, data: str) -> str:
    del x, y
    return data
