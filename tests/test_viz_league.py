"""The league in the window: asked for by a key, shown in the heart meter's place, run by a process of its own."""

from __future__ import annotations

import time

import pytest

from tests.viz_qt import application, grabbed
from tests.viz_scene import array, fill, status
from zeromag.errors import InputError
from zeromag.live.league_of import league_of
from zeromag.session import Session
from zeromag.viz.feed import Feed
from zeromag.viz.league import League, Row

application()  # before Qt is loaded, since it may skip this file
Qt = pytest.importorskip("PySide6.QtCore").Qt
QTest = pytest.importorskip("PySide6.QtTest").QTest
Window = pytest.importorskip("zeromag.viz.window").Window
cells = pytest.importorskip("zeromag.viz.league_panel").cells

ROWS = [
    Row("default", 0.081, 0.99, 17e-15, 31.2, 0.92, 0.004, 0.06, keeps=True),
    Row("homogeneous field 2", 0.9, 0.18, 30e-15, 40.0, 1.9, 0.004, 0.03),
    Row("regression", why="it needs references, and this array has none"),
]


def test_a_key_runs_the_league_on_what_is_shown_and_its_table_takes_the_meters_place():
    asked = []

    def run(source, seconds, session):
        asked.append((source, seconds, session.source))
        return ROWS

    feed = fill(Feed())
    feed.result("status", status(array()) | {"upstream": "tcp://127.0.0.1:5555"}, {})
    window = Window(feed, league=League(run))
    window._timer.stop()
    window.resize(1280, 720)
    window.show()
    application().processEvents()
    QTest.keyClick(window, Qt.Key.Key_L)
    panel = window.panels["league"]
    deadline = time.monotonic() + 20
    while not window.league.rows:
        panel.refresh(feed)
        assert time.monotonic() < deadline
    assert asked == [("tcp://127.0.0.1:5555", 20.0, "sim:adult")]
    assert (window.layout_name, panel.isVisible(), window.panels["meter"].isVisible()) == ("array", True, False)
    assert grabbed(panel).std() > 5
    QTest.keyClick(window, Qt.Key.Key_L)
    assert window.panels["meter"].isVisible()
    assert len(asked) == 1  # what is known is kept
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert window.league.words.startswith("sixteen chains are run over 20 s of this stream")
    window.league.close()
    window.close()


def test_the_table_says_what_a_chain_keeps_and_why_one_cannot_run():
    assert cells(ROWS[0]) == ["default", "8.1 %", "99 %", "17", "31", "4 ms"]
    assert cells(ROWS[2]) == ["regression", "it needs references, and this array has none"]


def test_a_league_that_fails_says_so_and_one_from_elsewhere_is_not_run():
    def fail(source, *_):
        raise InputError(f"{source} holds no sample")

    league, feed = League(fail), fill(Feed())
    league.start(feed)
    deadline = time.monotonic() + 20
    while league.words != "sim:adult holds no sample":
        league.look()
        assert time.monotonic() < deadline
    league.close()
    assert "zeromag filters SOURCE --league" in League(None).words


@pytest.mark.nightly  # half a minute of computing
def test_the_league_of_a_source_is_ranked_by_a_process_of_its_own():
    rows = league_of("sim:adult?seconds=8&gain_error=0.03&tilt_deg=1.5", 8.0, Session())
    assert len(rows) > 12
    able = [row for row in rows if row.keeps]
    assert [row.error for row in able] == sorted(row.error for row in able)
    assert {"default", "nothing"} <= {row.name for row in rows}
    with pytest.raises(InputError, match="there is no file"):
        league_of("nowhere.fif", 8.0, Session())
