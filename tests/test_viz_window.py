"""The window, painted offscreen and looked at pixel by pixel."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.viz_qt import application, grabbed
from tests.viz_scene import RATE, array, blues, centre, fill, reds
from zeromag.block import Block
from zeromag.sensors import SensorArray
from zeromag.viz.feed import Feed
from zeromag.viz.theme import THEMES, contrast

application()  # before Qt is loaded, since it may skip this file
QtCore = pytest.importorskip("PySide6.QtCore")
QtGui = pytest.importorskip("PySide6.QtGui")
QPoint, QPointF, QRectF, Qt = QtCore.QPoint, QtCore.QPointF, QtCore.QRectF, QtCore.Qt
QEvent, QImage, QMouseEvent, QPainter = QtCore.QEvent, QtGui.QImage, QtGui.QMouseEvent, QtGui.QPainter
QTest = pytest.importorskip("PySide6.QtTest").QTest
Window = pytest.importorskip("zeromag.viz.window").Window


@pytest.fixture
def feed() -> Feed:
    return fill(Feed())


@pytest.fixture
def window(feed):
    shown = Window(feed)
    shown._timer.stop()  # tests say when time passes
    shown.show()
    application().processEvents()  # it becomes the active window, which shortcuts want
    yield shown
    shown.close()


def live(window) -> None:
    """Let the newest data be of this moment, and show it."""
    window.feed.arrived_ns = time.monotonic_ns()
    window.tick(window.feed.arrived_ns + 5_000_000)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_patients_upper_left_is_the_windows_upper_right(feed, theme):
    window = Window(feed, theme=THEMES[theme])
    window._timer.stop()
    live(window)
    picture = grabbed(window.map)
    box = window.map.picture(window.map.rect().toRectF().adjusted(10, 28, -10, -8))
    inside = np.zeros(picture.shape[:2], dtype=bool)
    inside[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())] = True
    across, down = centre(reds(picture) & inside)
    assert across > box.center().x() + 0.1 * box.width()
    assert down < box.center().y() - 0.1 * box.height()
    across, down = centre(blues(picture) & inside)  # and the negative pole at the lower left, blue
    assert across < box.center().x() - 0.1 * box.width()
    assert down > box.center().y() + 0.1 * box.height()
    window.close()


def test_the_pole_lies_where_the_grid_says(window):
    live(window)
    picture = grabbed(window.map)
    box = window.map.picture(window.map.rect().toRectF().adjusted(10, 28, -10, -8))
    inside = np.zeros(picture.shape[:2], dtype=bool)
    inside[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())] = True
    across, down = centre(reds(picture) & inside)
    edge = 0.12 * 64 / 63  # outer edge of the outermost pixels
    assert (across - box.left()) / box.width() == pytest.approx((0.05 + edge) / (2 * edge), abs=0.02)
    assert (box.bottom() - down) / box.height() == pytest.approx((0.06 + edge) / (2 * edge), abs=0.02)


def test_the_words_stand_on_the_side_they_mean(window, monkeypatch):
    """R at the left, the bar's plus and its red above, arrows from the patient's right to the left with the scene."""
    live(window)
    said: dict[str, QPointF] = {}

    def note(painter, box, text, *_, **__):
        said[text] = painter.worldTransform().map(box.center())

    monkeypatch.setattr("zeromag.viz.field_map_panel.write", note)
    picture = grabbed(window.map)
    box = window.map.picture(window.map.rect().toRectF().adjusted(10, 28, -10, -8))
    assert said["R"].x() < box.left() < box.right() < said["L"].x()
    assert said["head"].y() < box.center().y() < said["foot"].y()
    assert said["out of chest (+)"].y() < said["into chest (−)"].y()
    assert said["+50"].y() < said["+25"].y() < said["0"].y() < said["−50"].y()
    assert said["+"].x() > said["−"].x()
    assert said["+"].y() < said["−"].y()
    column = int(said["+50"].x() - 23 - 4 - 8)  # in the middle of the bar
    top, bottom = (picture[int(said[text].y()) + step, column].astype(int) for text, step in (("+50", 4), ("−50", -4)))
    assert top[0] > top[2] + 60
    assert bottom[2] > bottom[0] + 60


def test_an_arrow_points_where_the_current_goes(window):
    """A pseudo-current to the head points to the top of the window, one to the patient's left to its right."""
    live(window)
    shown, image = window.map.map, QImage(200, 200, QImage.Format.Format_RGB32)
    box, drawn = QRectF(0, 0, 200, 200), []
    painter = QPainter(image)
    for jx, jy in ((0.0, 1.0), (1.0, 0.0)):
        field = replace(shown, jx=np.full_like(shown.jx, jx), jy=np.full_like(shown.jy, jy))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("zeromag.viz.field_map_panel.arrows", lambda *ends: drawn.append(ends) or [])
            window.map._draw_arrows(painter, box, field)
    painter.end()
    (_, _, up_x, up_y), (_, _, left_x, left_y) = drawn
    assert (up_y < 0).all()  # rows count from the top
    assert (left_x > 0).all()
    assert not up_x.any()
    assert not left_y.any()


def test_an_isoline_is_dashed_where_the_field_goes_in(window):
    """Along the lines of one side many pixels are left out; of the other side none."""
    for name in ("arrows", "marks", "poles"):
        setattr(window.map, name, False)
    window.map.lines = False
    live(window)
    bare = grabbed(window.map).astype(int)
    window.map.lines = True
    drawn = np.abs(grabbed(window.map).astype(int) - bare).max(axis=2) > 40
    box = window.map.picture(window.map.rect().toRectF().adjusted(10, 28, -10, -8))
    inside = np.zeros_like(drawn)
    inside[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())] = True
    red = inside & (bare[..., 0] > bare[..., 2] + 30)
    blue = inside & (bare[..., 2] > bare[..., 0] + 30)
    assert pieces(drawn & blue) > 4 * pieces(drawn & red) > 0


def pieces(where) -> int:
    """How many separate strokes there are."""
    from scipy.ndimage import label

    return int(label(where, np.ones((3, 3)))[1])


@pytest.mark.parametrize("overlay", ["lines", "arrows", "marks", "poles"])
def test_what_is_drawn_on_the_map_lies_where_its_colours_do(window, overlay):
    """Isolines, arrows, the crossed sensor S05 and the plus sign: all at the patient's upper left, the upper right."""
    for name in ("lines", "arrows", "marks", "poles"):
        setattr(window.map, name, False)
    live(window)
    bare = grabbed(window.map)
    setattr(window.map, overlay, True)
    drawn = np.abs(grabbed(window.map).astype(int) - bare.astype(int)).max(axis=2) > 60
    box = window.map.picture(window.map.rect().toRectF().adjusted(10, 28, -10, -8))
    middle, half = int(box.center().x()), int(box.center().y())
    upper = drawn[int(box.top()) : half]
    left, right = upper[:, int(box.left()) : middle].sum(), upper[:, middle : int(box.right())].sum()
    if overlay == "marks":  # every sensor has a mark, the bad one a heavy cross
        x, y = (0.06 + 0.12) / 0.24, (0.12 - 0.10) / 0.24
        at = int(box.left() + x * box.width()), int(box.top() + y * box.height())
        other = int(box.right() - x * box.width())
        around = [drawn[at[1] - 8 : at[1] + 8, k - 8 : k + 8].sum() for k in (at[0], other)]
        assert around[0] > 1.5 * around[1] > 0
    elif overlay == "poles":
        across, down = (round(v) for v in centre(reds(bare)[:, : int(box.right())]))
        assert drawn[down - 8 : down + 8, across - 8 : across + 8].sum() > 40
    else:
        assert right > 2 * left


def test_state_is_said_and_a_stale_picture_greys(window):
    live(window)
    fresh = grabbed(window.map)
    assert (window.header.state, window.map.veil) == ("LIVE", "")
    window.tick(window.feed.arrived_ns + 201_000_000)
    assert window.header.state == "STALE"
    assert window.map.veil.startswith("STALE · no data for 0.2 s")
    assert grabbed(window.map).std() < 0.7 * fresh.std()  # the colours are gone pale
    window.feed.end("the source has ended")
    window.tick()
    assert (window.header.state, window.map.veil) == ("ENDED", "ENDED · the source has ended")


def test_a_picture_of_the_past_greys_though_it_keeps_coming(window):
    live(window)
    window.feed.lateness.ns = 3_200_000_000
    window.tick(window.feed.arrived_ns)
    assert window.header.state == "LATE"
    for panel in (window.map, window.traces):
        assert panel.veil == "LATE · this was 3.2 s ago"


def test_pause_holds_the_picture_and_says_so(window):
    live(window)
    QTest.keyClick(window, Qt.Key.Key_Space)
    live(window)
    assert window.header.state == "PAUSED"
    before, shown = grabbed(window.traces), window.map.map
    fill(window.feed)
    live(window)
    assert window.map.map is shown
    assert np.array_equal(grabbed(window.traces), before)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert window.map.map is window.feed.map


def test_every_action_has_a_key_that_works(window):
    live(window)
    QTest.keyClick(window, Qt.Key.Key_B)
    assert window.traces.butterfly
    QTest.keyClick(window, Qt.Key.Key_A)
    assert not window.map.arrows
    QTest.keyClick(window, Qt.Key.Key_V)
    assert window.traces.speed == 50.0
    gain = window.traces.gain
    grabbed(window.traces)
    QTest.keyClick(window, Qt.Key.Key_Plus)
    assert window.traces.gain != gain


def test_the_cursor_is_dragged_and_stepped(window):
    live(window)
    grabbed(window.beat)
    QTest.mouseClick(window.beat.plot.viewport(), Qt.MouseButton.LeftButton, pos=in_plot(window.beat, 300.0, 60.0))
    assert window.beat.cursor_s == pytest.approx(0.3, abs=0.003)
    before = window.beat.cursor_s
    QTest.keyClick(window, Qt.Key.Key_Left)
    assert window.beat.cursor_s == pytest.approx(before - 0.001)


def in_plot(panel, x: float, y: float) -> QPoint:
    """Return where in the plot's widget a place in axis units is."""
    return panel._view.mapViewToScene(QPointF(x, y)).toPoint()


def drag(panel, start: QPoint, stop: QPoint) -> None:
    viewport = panel.plot.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.25, 0.5, 0.75, 1.0):
        QTest.mouseMove(viewport, start + (stop - start) * share)
        application().processEvents()
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=stop)


def double_click(panel, at: QPoint) -> None:
    """As from a screen: the second press comes as a double click (QTest would send both)."""
    viewport, left = panel.plot.viewport(), Qt.MouseButton.LeftButton
    QTest.mouseClick(viewport, left, pos=at)
    place = at.toPointF()
    event = QMouseEvent(
        QEvent.Type.MouseButtonDblClick, place, viewport.mapToGlobal(place), left, left, Qt.KeyboardModifier.NoModifier
    )
    application().sendEvent(viewport, event)
    QTest.mouseRelease(viewport, left, pos=at)


def test_the_plots_cursor_line_is_taken_by_the_mouse(window):
    live(window)
    grabbed(window.beat)
    window.beat.move_cursor(0.1)
    drag(window.beat, in_plot(window.beat, 100.0, 60.0), in_plot(window.beat, 300.0, 60.0))
    assert window.beat.cursor_s == pytest.approx(0.3, abs=0.005)
    assert not window.beat._held


def test_a_plot_is_zoomed_and_a_double_click_shows_all_again(window):
    live(window)
    grabbed(window.beat)
    home = window.beat._view.viewRect()
    assert home.left() == pytest.approx(-300, abs=30)
    drag(window.beat, in_plot(window.beat, 350.0, -60.0), in_plot(window.beat, 190.0, -60.0))
    moved = window.beat._view.viewRect()
    assert moved.left() - home.left() == pytest.approx(160, abs=5)
    window.beat.show_data()  # a new average does not take the reader's view away
    assert window.beat._view.viewRect() == moved
    double_click(window.beat, in_plot(window.beat, 400.0, 80.0))
    assert window.beat._view.viewRect() == home


def test_the_plot_of_the_beat_is_the_average(window):
    live(window)
    average, x, y = window.beat.average, *window.beat._curve.getData()
    np.testing.assert_allclose(y.reshape(-1, 800).T, average.wave[:, average.good] * 1e12)
    np.testing.assert_allclose(x[:800], average.time * 1e3)
    joined = window.beat._curve.opts["connect"].reshape(-1, 800)
    assert joined[:, :-1].all()
    assert not joined[:, -1].any()  # no stroke from one channel's end to the next one's beginning


def test_a_plots_data_can_be_taken_along(window, tmp_path):
    """The right button offers to see all and to export, as picture and as numbers."""
    exporters = pytest.importorskip("pyqtgraph.exporters")
    live(window)
    grabbed(window.beat)
    assert [action.text() for action in window.beat._view.menu.actions()] == ["View All"]
    offered = exporters.Exporter.Exporters
    assert {exporters.CSVExporter, exporters.ImageExporter} <= set(offered)
    assert exporters.SVGExporter not in offered
    exporters.CSVExporter(window.beat._item).export(str(tmp_path / "beat.csv"))
    rows = np.loadtxt(tmp_path / "beat.csv", delimiter=",", skiprows=1)
    average = window.beat.average
    np.testing.assert_allclose(rows[:800, 0], average.time * 1e3)
    np.testing.assert_allclose(rows[:800, 1], average.wave[:, average.good][:, 0] * 1e12, atol=1e-9)
    exporters.ImageExporter(window.beat._item).export(str(tmp_path / "beat.png"))
    assert (tmp_path / "beat.png").stat().st_size > 5000


def test_a_plot_that_is_not_live_greys(window):
    live(window)
    fresh = grabbed(window.beat)
    window.beat.show_veil("STALE · no data for 0.2 s")
    veiled = grabbed(window.beat)
    assert veiled.std() < 0.7 * fresh.std()
    window.beat.show_veil("")
    assert np.array_equal(grabbed(window.beat), fresh)


def test_a_trace_is_drawn_where_its_samples_are():
    """One channel steps up by 10 pT: left of the step its line is one calibrated step lower."""
    sensors = array(1).pick([0])
    fresh = Feed()
    data = np.zeros((4000, 1))
    data[3000:] = 10e-12
    fresh.block(Block(data=data, first=0, rate=RATE, sensors=sensors))
    window = Window(fresh)
    window._timer.stop()
    live(window)
    window.traces.sweep = False
    window.traces.gain, window.traces._young = 4e12, False  # 4 px per pT
    window.traces._zero, window.traces._settled = np.zeros(1), 3900
    grabbed(window.traces)
    pixels = window.traces.strip.pixels
    lit = pixels != pixels[0, 0]
    right, left = np.nonzero(lit[:, -3])[0].mean(), np.nonzero(lit[:, -200])[0].mean()
    assert left - right == pytest.approx(40, abs=0.6)
    per_mm = window.traces.pixels_per_mm()
    step = lit.sum(axis=0).argmax()  # the column of the vertical stroke
    assert lit.shape[1] - step == pytest.approx(25 * per_mm * 1.0, abs=3)  # 1 s ago is 25 mm away
    window.close()


@pytest.mark.parametrize("n", [1, 23])
def test_one_channel_or_five_hundred(n):
    feed = Feed()
    sensors = array(n)
    rows = np.random.default_rng(1).normal(scale=1e-12, size=(500, len(sensors)))
    feed.block(Block(data=rows, first=0, rate=RATE, sensors=sensors))
    window = Window(feed)
    window._timer.stop()
    live(window)
    assert grabbed(window).any()
    window.close()


def test_an_array_without_places_shows_traces_and_says_why_there_is_no_map():
    nowhere = np.full((12, 3), np.nan)
    sensors = SensorArray(tuple(f"S{k}" for k in range(12)), nowhere, nowhere)
    feed = Feed()
    feed.block(Block(data=np.zeros((500, 12)), first=0, rate=RATE, sensors=sensors))
    for layout in ("clinic", "array"):
        window = Window(feed, layout=layout)
        window._timer.stop()
        live(window)
        assert grabbed(window).any()
        assert layout == "array" or "with positions" in window.map._why_not
        window.close()


def test_an_empty_feed_waits():
    window = Window(Feed())
    window._timer.stop()
    window.tick()
    assert window.header.state == "WAITING"
    assert grabbed(window).any()
    window.close()


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_words_can_be_read(theme):
    for name in ("text", "quiet", "accent", "good", "warning", "alarm"):
        for ground in (theme.panel, theme.window):
            assert contrast(getattr(theme, name), ground) >= 4.5, (name, ground)
