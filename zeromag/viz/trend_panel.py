"""What changes over minutes: the heart rate beat by beat, or a parameter with its interval."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from zeromag.viz.feed import Feed
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.report_tables import UNITS, parameter_name
from zeromag.viz.theme import Theme

SECONDS = 120.0  # of heart rate; parameters are shown over the whole scan
RATE = "rate"


class TrendPanel(PlotPanel):
    """A dot a beat, hollow when it was left out of the average; or a dot with its 95 % interval a look of the gate."""

    title = "Heart rate, beat by beat"
    waiting = "waiting for two beats in a row"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, left="1/min", bottom="s")
        self.shown = RATE  # or a parameter's name
        self._beats: list[tuple[float, float, bool]] = []  # s, 1/min, counted
        self._points: list[tuple[float, float, float, float]] = []  # s, value, low, high
        self._known: list[str] = []  # parameters that can be shown
        self._unit = ""
        self._state: tuple[object, ...] = ()
        self._spread = pg.ErrorBarItem(x=np.zeros(1), y=np.zeros(1), top=np.zeros(1), bottom=np.zeros(1), beam=0)
        self.plot.addItem(self._spread)
        self._counted = self.plot.plot(pen=None, symbol="o", symbolSize=6, name="counted")
        self._hollow = self.plot.plot(pen=None, symbol="o", symbolSize=7, symbolBrush=None, name="left out")

    def show_next(self) -> None:
        """Show the next parameter, after the last the heart rate again."""
        row = [RATE, *self._known]
        self.shown = row[(row.index(self.shown) + 1) % len(row)] if self.shown in row else RATE
        self._state = ()

    def refresh(self, feed: Feed) -> bool:
        """Take the beats and what was said of the parameters."""
        stream = feed.stream
        state = (self.shown, feed.beats_seen, len(feed.history), feed.history[-1].seconds if feed.history else 0.0)
        if stream is None or state == self._state:
            return False
        self._state = state
        self._beats = [
            (beat.sample / stream.rate, 60 / beat.rr, not beat.why)
            for beat in list(feed.beats)
            if np.isfinite(beat.rr) and beat.rr > 0
        ]
        history = list(feed.history)
        self._known = list(history[-1].names) if history else []
        self._points = []
        for past in history:
            if self.shown in past.names:
                k = past.names.index(self.shown)
                factor, self._unit = UNITS.get(past.units[k], (1.0, past.units[k]))
                value, low, high = (factor * past.values[k]).tolist()
                self._points.append((past.seconds, value, low, high))
        self.show_data()
        return True

    def show_data(self) -> None:
        """Place the dots."""
        self.title = "Heart rate, beat by beat" if self.shown == RATE else parameter_name(self.shown)
        if self.shown == RATE:
            self._show_rate()
        else:
            self._show_parameter()

    def _show_rate(self) -> None:
        self._spread.hide()
        if not self._beats:
            return
        stop = self._beats[-1][0]
        start = max(self._beats[0][0] - 1, stop - SECONDS)
        shown = np.array([beat for beat in self._beats if beat[0] >= start])
        counted, theme = shown[:, 2] > 0, self.theme
        self._item.setLabels(left="1/min")
        self._counted.setData(shown[counted, :2], symbolPen=theme.trace, symbolBrush=theme.trace)
        self._hollow.setData(shown[~counted, :2], symbolPen=theme.warning)
        rates = shown[:, 1]
        self.frame(start, stop + 1, np.floor((rates.min() - 5) / 10) * 10, np.ceil((rates.max() + 5) / 10) * 10)
        left_out = sum(not counts for *_, counts in self._beats)
        self.note = f"{left_out} left out (hollow)" if left_out else ""

    def _show_parameter(self) -> None:
        """Draw each value with its interval."""
        self._hollow.setData([], [])
        if not self._points:
            return
        seconds, value, low, high = np.array(self._points).T
        self._item.setLabels(left=self._unit)
        self._counted.setData(seconds, value, symbolPen=self.theme.trace, symbolBrush=self.theme.trace)
        self._spread.setData(x=seconds, y=value, top=high - value, bottom=value - low, pen=pg.mkPen(self.theme.quiet))
        self._spread.show()
        settled = slice(len(seconds) // 3, None)  # the first looks have intervals that hide all others
        edge = max(float((high[settled] - low[settled]).max()), 1e-3) / 2
        self.frame(0.0, seconds[-1] + 1, float(low[settled].min()) - edge, float(high[settled].max()) + edge)
        self.note = "95 % interval"
