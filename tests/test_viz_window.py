"""The window, painted offscreen and looked at pixel by pixel."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.viz_qt import application, grabbed
from tests.viz_scene import RATE, array, blues, centre, fill, reds
from zeromag.block import Block
from zeromag.sensors import SensorArray
from zeromag.viz.feed import Feed
from zeromag.viz.theme import THEMES, contrast

application()  # before Qt is loaded, since it may skip this file
QPoint, Qt = pytest.importorskip("PySide6.QtCore").QPoint, pytest.importorskip("PySide6.QtCore").Qt
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
    plot = window.beat._plot
    at = QPoint(round(plot.left() + 0.75 * plot.width()), round(plot.center().y()))
    QTest.mouseClick(window.beat, Qt.MouseButton.LeftButton, pos=at)
    assert window.beat.cursor_s == pytest.approx(-0.3 + 0.75 * 0.799, abs=0.003)
    before = window.beat.cursor_s
    QTest.keyClick(window, Qt.Key.Key_Left)
    assert window.beat.cursor_s == pytest.approx(before - 0.001)


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


def test_nothing_is_cut_off_on_a_small_screen(window):
    window.resize(1280, 720)
    live(window)
    hint = window.minimumSizeHint()
    assert (window.width(), window.height()) == (1280, 720)
    assert hint.width() <= 1280
    assert hint.height() <= 720
