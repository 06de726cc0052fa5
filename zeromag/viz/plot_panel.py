"""A panel that holds a PyQtGraph plot: its axes, zoom, pan, hover and export, in the window's colours."""

from __future__ import annotations

import pyqtgraph as pg
from pyqtgraph.exporters import Exporter, SVGExporter
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from zeromag.viz.panel import HEAD, Panel, write_lines
from zeromag.viz.theme import Theme

pg.setConfigOption("imageAxisOrder", "row-major")
if SVGExporter in Exporter.Exporters:
    Exporter.Exporters.remove(SVGExporter)  # raises on what Qt 6.11 writes (pyqtgraph #3485); PNG and CSV work

GRID = 0.16  # opacity of the grid lines
EDGE = 0.035  # of an axis beyond its round ends: room for half a number, which is not printed otherwise


class PlotPanel(Panel):
    """The wheel zooms, dragging pans, a double click shows all again, the right button exports."""

    waiting = "waiting for data"

    def __init__(self, theme: Theme, *, left: str, bottom: str) -> None:
        super().__init__(theme)
        self.plot = pg.PlotWidget(self)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are the window's
        self.plot.setAccessibleName(self.title)
        self.plot.hide()
        self._item = self.plot.getPlotItem()
        self._view = self._item.getViewBox()
        self._home = QRectF(0.0, 0.0, 1.0, 1.0)
        self._held = False  # the reader has chosen what part is shown
        self._item.hideButtons()
        self._item.layout.setContentsMargins(0, 2, 2, 0)
        self._item.getAxis("bottom").setHeight(34)
        self._item.showGrid(x=True, y=True, alpha=GRID)
        self._item.setLabels(left=left, bottom=bottom)
        self._item.setMenuEnabled(False, True)
        menu = self._view.menu
        for action in menu.actions():
            if action is not menu.viewAll:
                menu.removeAction(action)
        menu.viewAll.triggered.disconnect()
        menu.viewAll.triggered.connect(self.show_all)
        self._view.disableAutoRange()
        self._view.sigRangeChangedManually.connect(self._hold)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        for side in ("left", "bottom"):
            _write_minus(self._item.getAxis(side))
        self._cover = _Cover(self)
        self._wear_axes()

    def show_data(self) -> None:
        """Put what `refresh` took into the plot's items, in the theme's colours."""

    def frame(self, left: float, right: float, low: float, high: float) -> None:
        """Say what part is shown unless the reader has chosen another: axis units, log10 of them on a log axis."""
        across, up = EDGE * (right - left), EDGE * (high - low)
        self._home = QRectF(left - across, low - up, right - left + 2 * across, high - low + 2 * up)
        self.plot.show()
        if not self._held:
            self._view.setRange(self._home, padding=0)

    def show_all(self) -> None:
        """Undo zoom and pan."""
        self._held = False
        self._view.setRange(self._home, padding=0)

    def pointed(self, x: float, y: float) -> None:
        """Take a click at a place of the plot, in axis units."""

    def show_veil(self, veil: str) -> None:
        """Grey the plot and say why; no words: it is live."""
        super().show_veil(veil)
        self._cover.setVisible(bool(veil))
        self._cover.update()

    def wear(self, theme: Theme) -> None:
        """Change the colours."""
        super().wear(theme)
        self._wear_axes()
        self.show_data()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Say what is waited for; the plot paints itself."""
        if self.plot.isHidden():
            write_lines(painter, area, self.waiting, self.theme.quiet)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lay the plot under the title."""
        area = self.rect().adjusted(4, HEAD, -10, -4)
        self.plot.setGeometry(area)
        self._cover.setGeometry(area)
        super().resizeEvent(event)

    def _wear_axes(self) -> None:
        self.plot.setBackground(self.theme.panel)
        font = QFont(self.font())
        font.setPixelSize(11)
        for name in ("left", "bottom"):
            axis = self._item.getAxis(name)
            axis.setPen(self.theme.quiet)
            axis.setTextPen(self.theme.quiet)
            axis.setStyle(tickFont=font, tickLength=-4, maxTickLevel=0, hideOverlappingLabels=False)
            axis.label.setFont(font)

    def _hold(self) -> None:
        self._held = True

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.show_all()
        elif self._view.sceneBoundingRect().contains(event.scenePos()):
            at = self._view.mapSceneToView(event.scenePos())
            self.pointed(at.x(), at.y())


def _write_minus(axis: pg.AxisItem) -> None:
    """Have an axis write a minus as the other panels do."""
    plain = axis.tickStrings

    def strings(values: list[float], scale: float, spacing: float) -> list[str]:
        return [str(text).replace("-", "−") for text in plain(values, scale, spacing)]

    axis.tickStrings = strings


class _Cover(QWidget):
    """The veil, over the plot; the mouse goes through it."""

    def __init__(self, panel: PlotPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the veil."""
        del event
        painter = QPainter(self)
        self._panel.draw_veil(painter, QRectF(self.rect()))
        painter.end()
