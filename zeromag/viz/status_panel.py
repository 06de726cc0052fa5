"""Every channel's state at its place in the array, and the reasons in words."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from zeromag.viz.feed import Feed
from zeromag.viz.panel import Panel, line, lines_of, write
from zeromag.viz.status import Channel, Status

LINE = 17  # px


class StatusPanel(Panel):
    """A tile per channel, bad ones crossed; below them what is wrong and what cleaning cost."""

    title = "Channels"

    def refresh(self, feed: Feed) -> bool:
        """Take the status."""
        before, self.status = self.status, feed.status
        return self.status != before

    status = Status()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint tiles and lines."""
        channels = self.status.channels
        if not channels:
            write(painter, area, "no word about the channels yet", self.theme.quiet, size=13)
            return
        bad = {name: channel for name, channel in channels.items() if channel.status != "good"}
        self.note = f"{len(channels) - len(bad)} of {len(channels)} good"
        bottom = self._draw_tiles(painter, area, channels)
        lines = [(f"{name}  {channel.status}  {channel.why}", self.theme.alarm) for name, channel in bad.items()]
        usable = self.status.usable
        if usable.answer != "yes":
            lines += [(f"usable {usable.answer}: {reason}", self.theme.warning) for reason in usable.reasons]
        lines += [(text, self.theme.text) for text in _cleaning(self.status)]
        lines = [(part, colour) for text, colour in lines for part in lines_of(painter, text, area.width())]
        room = int((area.bottom() - bottom) / LINE)
        if len(lines) > room > 0:
            hidden = len(lines) - room + 1
            lines = [*lines[: room - 1], (f"… and {hidden} more", self.theme.quiet)]
        for k, (text, colour) in enumerate(lines[: max(room, 0)]):
            write(painter, QRectF(area.left(), bottom + k * LINE, area.width(), LINE), text, colour, align="left")

    def _draw_tiles(self, painter: QPainter, area: QRectF, channels: dict[str, Channel]) -> float:
        across = max(1, math.ceil(math.sqrt(len(channels) * 3)))
        rows = math.ceil(len(channels) / across)
        size = min(area.width() / across, 0.55 * area.height() / rows, 30)
        for k, (name, channel) in enumerate(channels.items()):
            x, y = area.left() + k % across * size, area.top() + k // across * size
            tile = QRectF(x + 1, y + 1, size - 2, size - 2)
            good = channel.status == "good"
            painter.setPen(QPen(QColor(self.theme.good if good else self.theme.alarm), 1))
            painter.setBrush(QColor(self.theme.panel))
            painter.drawRect(tile)
            if size >= 22:
                write(
                    painter,
                    tile,
                    name[-3:],
                    self.theme.quiet if good else self.theme.alarm,
                    size=10 if size >= 26 else 8,
                )
            if not good:
                line(painter, (tile.left(), tile.top()), (tile.right(), tile.bottom()), self.theme.alarm, 1.4)
                line(painter, (tile.left(), tile.bottom()), (tile.right(), tile.top()), self.theme.alarm, 1.4)
        return area.top() + rows * size + 6


def _cleaning(status: Status) -> list[str]:
    """Return one line a cleaning step: what it keeps, and what it takes from the heart's band or where it takes most.

    The whole chain, which is told last, comes first: where there is little room it must be seen. The heart meter of
    the Array layout tells the rest.
    """
    lines = []
    for step in [*status.cleaning[-1:], *status.cleaning[:-1]]:
        kept = "" if step.heart_kept is None else f"  heart kept {step.heart_kept:.0%}"
        taken = {band: value for band, value in step.shielding_db.items() if value is not None and value >= 1}
        band = "1-40 Hz" if "1-40 Hz" in taken else max(taken, key=lambda name: taken[name], default="")
        lines.append(f"{step.stage}{kept}" + (f"  {taken[band]:.0f} dB at {band}" if band else ""))
    return lines
