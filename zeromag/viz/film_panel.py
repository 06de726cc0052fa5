"""The averaged beat's map at the cursor; it plays the beat as a film."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from zeromag.viz.beat_panel import BeatPanel
from zeromag.viz.feed import Feed, LiveMap
from zeromag.viz.field_map_panel import FieldMapPanel, to_screen
from zeromag.viz.film import Film
from zeromag.viz.theme import Theme

FAINT = 0.1  # of the film's scale: poles of a weaker field wander with the noise
SLOWNESS = 10  # a beat of 0.8 s takes 8 s


class FilmPanel(FieldMapPanel):
    """Shows the map at the beat panel's cursor, every instant on one scale."""

    title = "Map at the cursor"
    waiting = "waiting for enough beats"

    def __init__(self, theme: Theme, beat: BeatPanel) -> None:
        super().__init__(theme)
        self.playing = False
        self.film = Film()
        self._beat = beat
        self._shown_s = float("nan")

    def refresh(self, feed: Feed) -> bool:
        """Take the newest film and the cursor."""
        self.know_sensors(feed)
        new = self.film.see(self._beat.average)
        if self.playing:
            self._play()
        if not new and self._beat.cursor_s == self._shown_s:
            return False
        self._shown_s = self._beat.cursor_s
        self.map, self.limit, self.waiting = self.film.at(self._shown_s), self.film.limit, self.film.why_not
        return True

    def draw_poles(self, painter: QPainter, box: QRectF, shown: LiveMap) -> None:
        """Mark the poles, and under them the way that they have come."""
        way = self.film.trajectory(self._shown_s, FAINT * self.limit)
        for places in ([pair.plus for pair in way], [pair.minus for pair in way]):
            if len(places) > 1:
                x, y = to_screen(box, shown, *np.array(places).T)
                points = [QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]
                for colour, width in (("#0a0e12", 4.0), ("#ffffff", 2.0)):
                    painter.setPen(QPen(QColor(colour), width))
                    painter.drawPolyline(points)
        super().draw_poles(painter, box, shown)

    def toggle_play(self) -> None:
        """Play the beat in a loop, or hold it."""
        self.playing = not self.playing

    def words(self, step: float) -> str:
        """Return the instant, and the isolines' step."""
        time = f"R{self._shown_s * 1e3:+.0f} ms".replace("-", "−")
        return f"{time} · {step * 1e12:g} pT lines" + (" · playing" if self.playing else "")

    def _play(self) -> None:
        average = self._beat.average
        if average is not None:
            after = self._beat.cursor_s + 0.033 / SLOWNESS
            self._beat.move_cursor(after if after < average.time[-1] else float(average.time[0]))
