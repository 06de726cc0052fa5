"""The three layouts and their panels: everything is painted, fits, has a key, and leaks nothing."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from tests.viz_qt import application, grabbed
from tests.viz_scene import RATE, array, average, fill, grid, send_map, status, traces
from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.physics.halfspace import HalfSpace
from zeromag.viz import raster
from zeromag.viz.feed import Feed
from zeromag.viz.film import Film
from zeromag.viz.readings import kept_words
from zeromag.viz.spectrum import amplitude_spectrum, noise_floor
from zeromag.viz.status import read_status
from zeromag.viz.theme import DARK, LIGHT

application()  # before Qt is loaded, since it may skip this file
QTest = pytest.importorskip("PySide6.QtTest").QTest
QtCore = pytest.importorskip("PySide6.QtCore")
QtGui = pytest.importorskip("PySide6.QtGui")
lines_of = pytest.importorskip("zeromag.viz.panel").lines_of
fit_screen = pytest.importorskip("zeromag.viz.show").fit_screen
Window = pytest.importorskip("zeromag.viz.window").Window
LAYOUTS = pytest.importorskip("zeromag.viz.layouts").LAYOUTS


def opened(layout: str, theme=DARK):
    window = Window(fill(Feed(), seconds=9.0), layout=layout, theme=theme)
    window._timer.stop()
    window.show()
    window.tick()
    window.film.film.wait()
    window.feed.arrived_ns = time.monotonic_ns()
    window.tick(window.feed.arrived_ns + 1_000_000)
    return window


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_panel_of_a_layout_shows_something(layout, theme):
    window = opened(layout, theme)
    grabbed(window)
    for name, *_ in LAYOUTS[layout].places:
        panel = window.panels[name]
        assert panel.isVisible()
        picture = grabbed(panel)[30:-10, 12:-12]
        ground = np.array([int(theme.panel[k : k + 2], 16) for k in (1, 3, 5)])
        painted = np.abs(picture.astype(int) - ground).sum(axis=2) > 60
        assert painted.mean() > 0.004, name
    window.close()


def test_no_picture_waits_for_a_compiler_once_the_raster_is_warm():
    raster.warm()
    for layout in LAYOUTS:
        window = opened(layout)
        grabbed(window)
        window.close()
    assert len(raster.draw_traces.signatures) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_fits_a_small_screen_and_no_text_is_cut_off(layout, monkeypatch):
    cut: list[str] = []

    def noted(painter, text: str, room: int) -> str:
        found = painter.fontMetrics().elidedText(text, QtCore.Qt.TextElideMode.ElideRight, room)
        cut.extend([text] if found != text else [])
        return text

    monkeypatch.setattr("zeromag.viz.panel.shortened", noted)
    window = opened(layout)
    window.feed.result("status", long_words(array()), {})
    window.resize(1280, 720)
    window.tick(window.feed.arrived_ns + 1_000_000)
    application().processEvents()
    assert (window.width(), window.height()) == (1280, 720)
    for name, *_ in LAYOUTS[layout].places:
        assert window.rect().contains(window.panels[name].geometry()), name
    grabbed(window)
    window.help.toggle()
    grabbed(window)
    assert cut == []
    window.close()


def long_words(sensors) -> dict[str, object]:
    """A status with the longest that a real scan has said."""
    found = status(sensors)
    angle = {"value": -106.57, "low": -106.62, "high": -106.52, "unit": "deg"}
    found["parameters"] = {
        "pole_distance_T": {"value": 0.1422, "low": 0.14177, "high": 0.14264, "unit": "m"},
        "map_angle_R": angle,
        "current_angle_RT": angle,
        "qt": {"value": 0.4013, "low": 0.3991, "high": 0.4039, "unit": "s"},
        "qtc_fridericia": {"value": 0.4013, "low": 0.3991, "high": 0.4039, "unit": "s"},
    }
    step = {"shielding_db": {"1-40 Hz": 13.2, "50 Hz": 48.2, "150 Hz": 58.1}, "heart_kept": 0.989, "noise_gain": 0.4,
            "delay_s": 0.004, "injected": {"heart_kept": 0.98}}  # fmt: skip
    names = ("MaskBad", "JointFit", "Mains", "LowPass", "whole chain")
    found["cleaning"] = [{"stage": name, **step} for name in names]
    return found


def test_what_could_not_be_reckoned_is_left_out_and_not_told_as_no_number():
    step = {"stage": "whole chain", "heart_kept": float("nan"), "map_angle": float("nan"), "noise_gain": 0.4,
            "injected": {"heart_kept": float("nan")}}  # fmt: skip
    found = read_status({"cleaning": [step]}).cleaning[0]
    assert (found.heart_kept, found.map_angle, found.noise_gain, found.injected) == (
        None,
        None,
        0.4,
        {"heart_kept": None},
    )
    assert kept_words(found) == ""


def test_an_array_too_small_for_a_picture_says_so_in_whole_sentences():
    window = Window(Feed(), layout="array", theme=DARK)
    window._timer.stop()
    window.show()
    one = array(1)
    window.feed.describe(one, RATE, {})
    window.feed.block(Block(data=traces(array(6), 3.0)[:, :1].copy(), first=0, rate=RATE, sensors=one))
    window.map.refresh(Feed())
    assert window.map.refresh(window.feed)  # it is repainted, or it would go on saying that it waits
    window.tick()
    assert "needs 3 magnetometers" in window.panels["noise"].waiting
    for name in ("array", "noise"):
        picture = grabbed(window.panels[name])[30:-10, 12:-12]
        ground = np.array([int(DARK.panel[k : k + 2], 16) for k in (1, 3, 5)])
        assert (np.abs(picture.astype(int) - ground).sum(axis=2) > 60).any(), name
    window.arrange("research")
    window.resize(1280, 720)
    painter = QtGui.QPainter(QtGui.QPixmap(10, 10))
    words = "usable no: a map needs 4 good magnetometers with positions, and there are 1"
    lines = lines_of(painter, words, 300.0)
    painter.end()
    assert " ".join(lines) == words
    assert len(lines) == 2
    window.close()


def test_a_window_larger_than_the_screen_fills_it(monkeypatch):
    """Else its last lines, the big button and what it is not among them, hang below the edge."""
    window = opened("clinic")
    for room, size, state in (
        ((1280, 720), (1280, 720), QtCore.Qt.WindowState.WindowMaximized),
        ((2560, 1400), (1280, 800), QtCore.Qt.WindowState.WindowNoState),
    ):
        window.setWindowState(QtCore.Qt.WindowState.WindowNoState)
        window.resize(1280, 800)
        screen = SimpleNamespace(availableSize=partial(QtCore.QSize, *room))
        monkeypatch.setattr(window, "screen", lambda screen=screen: screen)
        fit_screen(window)
        assert (window.width(), window.height()) == size
        assert window.windowState() == state
    window.close()


def test_every_action_is_reached_by_its_key():
    window = opened("clinic")
    called: list[str] = []
    shortcuts = window.findChildren(QtGui.QShortcut)
    for shortcut in shortcuts:
        shortcut.activated.disconnect()
        shortcut.activated.connect(partial(called.append, shortcut.whatsThis()))
    window.activateWindow()
    application().processEvents()
    wanted = [what for _, what, _ in window.actions_by_key()]
    for key, _, _ in window.actions_by_key():
        sequence = QtGui.QKeySequence(key)[0]
        QTest.keyClick(window, sequence.key(), sequence.keyboardModifiers())
    assert called == wanted
    assert len({key for key, _, _ in window.actions_by_key()}) == len(wanted)
    window.close()


def test_every_action_does_its_work_twice_without_harm():
    window = opened("clinic")
    for _ in range(2):
        for key, _, action in window.actions_by_key():
            if key not in ("Ctrl+Q", "F11"):
                action()
                window.tick()
        grabbed(window)
    assert window.layout_name == "array"
    assert not window.help.isVisible()
    window.close()


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="one of clinic, research, array, got attic"):
        Window(Feed(), layout="attic")


def test_the_film_runs_with_the_cursor():
    window = opened("research")
    window.beat.move_cursor(0.0)
    window.tick()
    at_r = window.film.map
    window.beat.move_cursor(0.28)
    window.tick()
    at_t = window.film.map
    assert np.nanmax(at_r.bz) > 2 * np.nanmax(at_t.bz) > 0
    assert window.film.note == "" or "isolines" in window.film.note
    before = window.beat.cursor_s
    window.film.toggle_play()
    window.tick()
    assert window.beat.cursor_s > before
    window.close()


def test_the_film_is_the_field_the_sensors_read():
    """At R the film's map, at the sensors' places, is what the sensors read."""
    film, beat = Film(), average(array())
    film.see(beat)
    film.wait()
    assert film.see(beat)
    shown = film.at(0.0)
    row = beat.wave[beat.at(0.0)]
    for c in np.flatnonzero(beat.good):
        x, y, _ = beat.sensors.positions[c]
        j, i = np.abs(shown.grid.y - y).argmin(), np.abs(shown.grid.x - x).argmin()
        if shown.grid.mask[j, i]:
            assert shown.bz[j, i] == pytest.approx(row[c], abs=0.12 * np.abs(row).max())


def test_the_film_shows_the_way_the_poles_have_come():
    """A current that turns by 90° within the beat takes its poles along a quarter of a circle."""
    sensors = array()
    lead = HalfSpace().field(np.array([[0.0, 0.0, -0.08]]), sensors.positions)[:, 0, 2, :]
    time_s = np.arange(-50, 51) / RATE
    angle = np.pi / 2 * (time_s + 0.05) / 0.1
    strength = 10e-6 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    good = np.ones(36, dtype=np.bool_)
    film = Film()
    film.see(Average("normal", time_s, strength @ lead.T, np.full(36, 5e-14), 50, sensors, good))
    film.wait()
    film.see(None)
    way = film.trajectory(0.05, 1e-12)
    assert len(way) == 51
    plus = np.array([pair.plus for pair in way])
    turned = np.degrees(np.unwrap(np.arctan2(plus[:, 1], plus[:, 0])))
    assert turned[-1] - turned[0] == pytest.approx(45, abs=4)  # half of the quarter within the last 50 ms
    assert np.hypot(*plus.T) == pytest.approx(0.08 / np.sqrt(2), abs=0.006)
    assert film.trajectory(0.05, 1.0) == []


def test_the_way_of_the_poles_is_painted_over_the_map():
    window = opened("research")
    window.beat.move_cursor(0.0)
    window.tick()
    window.film.film.track = [
        replace(pair, plus=(0.003 * (k - 275), 0.09)) for k, pair in enumerate(window.film.film.track)
    ]
    with_way = grabbed(window.film)
    window.film.film.track = []
    without = grabbed(window.film)
    changed = np.abs(with_way.astype(int) - without.astype(int)).sum(axis=2) > 60
    assert changed.sum() > 60
    assert np.nonzero(changed)[0].mean() < window.film.height() / 2  # at the head's side
    window.close()


def test_the_trend_goes_through_the_parameters_with_their_intervals():
    feed = fill(Feed())
    for second in (20, 40):
        told = status(array()) | {"seconds": float(second)}
        told["parameters"] = {"qt": {"value": 0.4 + second / 1e4, "low": 0.39, "high": 0.42, "unit": "s"}}
        feed.result("status", told, {})
    window = Window(feed, layout="research")
    window._timer.stop()
    window.show()
    window.tick()
    assert window.trend.shown == "rate"
    window.trend.show_next()
    window.tick()
    assert (window.trend.title, window.trend._item.getAxis("left").labelText) == ("QT interval", "ms")
    x, y = window.trend._counted.getData()
    assert x.tolist() == [9.0, 20.0, 40.0]
    assert y == pytest.approx([401.3, 402, 404])
    assert window.trend._spread.opts["bottom"][1:] == pytest.approx([12, 14])
    grabbed(window.trend)
    window.trend.show_next()
    window.tick()
    assert window.trend.shown == "rate"
    window.close()


def test_the_parameters_stand_in_the_clinics_layout():
    window = opened("clinic")
    assert window.panels["numbers"].rows == [
        ("QT interval", "401.3 ms", "399.1 to 403.9"), ("map angle at T", "41.0 °", "38.5 to 43.2")
    ]  # fmt: skip
    assert window.panels["numbers"].isVisible()
    window.close()


def test_an_array_without_a_map_says_why():
    film = Film()
    film.see(average(array().pick(range(6))))  # one row of six
    film.wait()
    film.see(None)
    assert film.at(0.0) is None
    assert "needs" in film.why_not


def test_spectrum_is_that_of_scipy():
    from scipy.signal import welch

    rows = np.random.default_rng(2).normal(scale=15e-15 * np.sqrt(RATE / 2), size=(16000, 3))  # 15 fT/√Hz
    frequency, spectrum = amplitude_spectrum(rows, RATE, 1000)
    expected = welch(rows, RATE, nperseg=1000, axis=0)[1]
    np.testing.assert_allclose(spectrum[1:-1] ** 2, expected[1:-1], rtol=1e-9)
    assert frequency[1] == 1.0


def test_the_noise_is_told_without_the_heart():
    """15 fT/√Hz under a heart of 60 beats a minute, whose QRS has ten times that in the band."""
    rng = np.random.default_rng(4)
    white = rng.normal(scale=15e-15 * np.sqrt(RATE / 2), size=(8000, 36))
    assert noise_floor(white, RATE) == pytest.approx(15e-15, rel=0.12)
    time_s = np.arange(8000) / RATE % 1.0 - 0.5
    sharp = np.exp(-(time_s**2) / (2 * 0.003**2))[:, None] * 50e-12
    mean = np.sqrt(np.mean(amplitude_spectrum(white + sharp, RATE, 250)[1][16:23] ** 2, axis=0))
    assert (mean > 10 * 15e-15).all()
    assert noise_floor(white + sharp, RATE) == pytest.approx(15e-15, rel=0.12)
    assert np.isnan(noise_floor(white, 100.0)).all()


def test_spectrum_leaves_gaps_out():
    rows = np.random.default_rng(3).normal(size=(4000, 1))
    whole = amplitude_spectrum(rows[:2000], RATE, 500)[1]
    rows[2100:] = np.nan
    np.testing.assert_allclose(amplitude_spectrum(rows[:2400], RATE, 500)[1], whole)


def arrayed(rows: np.ndarray) -> Window:
    """A window of the Array layout that shows these samples."""
    feed = Feed()
    feed.block(Block(data=rows, first=0, rate=RATE, sensors=array()))
    window = Window(feed, layout="array")
    window._timer.stop()
    window.show()
    window.tick()
    return window


def test_a_sensor_stands_at_its_place():
    """Only the patient's upper left sensor beats: only the picture's upper right is another one."""
    beating = np.zeros((3000, 36))
    beating[:, 5] = traces(array(), 3.0)[:, 10]  # S06: x = +0.1 m, y = +0.1 m
    beating[:, 35] = 1e-13  # so that both are on a scale
    pictures = []
    for rows in (np.where(np.arange(36) == 5, 0.0, beating), beating):
        window = arrayed(rows)
        pictures.append(grabbed(window.panels["array"])[30:].astype(int))  # without the title's line
        window.close()
    differs = np.abs(pictures[1] - pictures[0]).max(axis=2) > 60
    down, across = np.nonzero(differs)
    assert len(across) > 30
    assert across.min() > 0.7 * differs.shape[1]
    assert down.max() < 0.4 * differs.shape[0]


@pytest.mark.parametrize("repaints", [300, pytest.param(5000, marks=pytest.mark.nightly)])
def test_no_reference_is_lost_by_painting(repaints):
    """PySide6 6.12 loses references to None on Python 3.11 until the process aborts."""
    window = opened("clinic")
    for panel in window.panels.values():
        grabbed(panel)
    counts = []
    for _ in range(3):
        for _ in range(repaints // 3):
            window.tick()
            window.map.repaint()
            window.traces.repaint()
            window.beat.repaint()
            window.beat.move_cursor(-window.beat.cursor_s or 0.1)
            window.beat.plot.viewport().repaint()
        counts.append(sys.getrefcount(None))
    assert abs(counts[2] - counts[1]) < 50
    window.close()


@pytest.mark.nightly
def test_memory_stays_where_it_is():
    """Blocks, maps and averages keep coming and the memory is flat once the rings are full."""
    import psutil

    window, sensors = opened("clinic"), array()
    data, of, process = traces(sensors, 60.0), grid(), psutil.Process()
    used: list[int] = []
    for count in range(1600):
        at = count % 1900 * 30
        window.feed.block(Block(data=data[at : at + 30].copy(), first=9000 + 30 * count, rate=RATE, sensors=sensors))
        send_map(window.feed, of)
        window.tick()
        window.grab()
        if count % 400 == 399:
            used.append(process.memory_info().rss)
    assert used[-1] - used[1] < 4e6
    window.close()


def test_the_noise_of_a_sensor_is_told_at_its_place():
    """The patient's upper left sensor is three times as loud as the others and stands at the plot's upper right."""
    rows = np.random.default_rng(5).normal(scale=15e-15 * np.sqrt(RATE / 2), size=(8000, 36))
    rows[:, 5] *= 3  # S06: x = +0.1 m, y = +0.1 m
    window = arrayed(rows)
    panel = window.panels["noise"]
    grabbed(panel)
    x, y = panel._tiles.getData()
    assert (x[5], y[5]) == pytest.approx((100, 100))
    warned = [label for label in panel._labels if DARK.warning in label]
    assert len(warned) == 1
    assert "S06" in warned[0]
    loud, calm = (panel._view.mapViewToScene(panel._tiles.points()[k].pos()) for k in (5, 30))
    assert loud.x() > calm.x()  # patient's left is on the right, head up
    assert loud.y() < calm.y()
    assert all(number.isVisible() for number in panel._numbers)
    panel.resize(160, 120)
    grabbed(panel)
    assert not any(number.isVisible() for number in panel._numbers)  # too small to be read: point at them
    window.close()
