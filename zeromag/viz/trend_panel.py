"""The heart rate over the last minutes, beat by beat."""

from __future__ import annotations

import numpy as np

from zeromag.viz.feed import Feed
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.theme import Theme

SECONDS = 120.0


class TrendPanel(PlotPanel):
    """A dot a beat; those that were left out of the average are hollow."""

    title = "Heart rate, beat by beat"
    waiting = "waiting for two beats in a row"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, left="1/min", bottom="s")
        self._beats: list[tuple[float, float, bool]] = []  # s, 1/min, counted
        self._count = 0
        self._counted = self.plot.plot(pen=None, symbol="o", symbolSize=6, name="counted")
        self._hollow = self.plot.plot(pen=None, symbol="o", symbolSize=7, symbolBrush=None, name="left out")

    def refresh(self, feed: Feed) -> bool:
        """Take the beats."""
        stream, beats = feed.stream, list(feed.beats)
        if stream is None or feed.beats_seen == self._count:
            return False
        self._count = feed.beats_seen
        self._beats = [
            (beat.sample / stream.rate, 60 / beat.rr, not beat.why)
            for beat in beats
            if np.isfinite(beat.rr) and beat.rr > 0
        ]
        self.show_data()
        return True

    def show_data(self) -> None:
        """Place the dots."""
        if not self._beats:
            return
        stop = self._beats[-1][0]
        start = max(self._beats[0][0] - 1, stop - SECONDS)
        shown = np.array([beat for beat in self._beats if beat[0] >= start])
        counted, theme = shown[:, 2] > 0, self.theme
        self._counted.setData(shown[counted, :2], symbolPen=theme.trace, symbolBrush=theme.trace)
        self._hollow.setData(shown[~counted, :2], symbolPen=theme.warning)
        rates = shown[:, 1]
        self.frame(start, stop + 1, np.floor((rates.min() - 5) / 10) * 10, np.ceil((rates.max() + 5) / 10) * 10)
        left_out = sum(not counts for *_, counts in self._beats)
        self.note = f"{left_out} left out (hollow)" if left_out else ""
