"""The way through a scan in the window: each step's words and button, then all of it on a real acquisition."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.viz_qt import application, grabbed
from tests.viz_scene import array, fill, status
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.control import Control
from zeromag.acquire.replay import replay
from zeromag.live.process import process
from zeromag.live.scan_report import report_of
from zeromag.session import Session, session_from
from zeromag.session_file import read_session, session_toml
from zeromag.viz.acquisition import Acquisition
from zeromag.viz.feed import Feed
from zeromag.viz.receiver import following
from zeromag.viz.workflow import Workflow

application()  # before Qt is loaded, since it may skip this file
Qt = pytest.importorskip("PySide6.QtCore").Qt
QTest = pytest.importorskip("PySide6.QtTest").QTest
Window = pytest.importorskip("zeromag.viz.window").Window
SettingsSheet = pytest.importorskip("zeromag.viz.settings_sheet").SettingsSheet
NOBODY = "tcp://127.0.0.1:9"
SOURCE = "sim:adult?rate=500&references=0&rows=4&columns=4&heart_rate=90"


def told(feed: Feed, **fields: object) -> None:
    feed.result("status", status(array()) | {"recording": False} | fields, {})


@pytest.fixture
def workflow():
    feed = fill(Feed())
    told(feed)
    feed.session = Session(source="sim:adult").as_dict()
    flow = Workflow(feed, Acquisition(Control(NOBODY, patience=0.2)), report_of)
    yield flow
    flow.close()


def test_each_step_says_what_to_do_and_what_the_button_does(workflow):
    feed = workflow.feed
    assert workflow.next().button == "Enter the subject's code"
    feed.session = {**feed.session, "subject": "P017"}
    assert workflow.next().button == "Subject P017"
    workflow.confirm_subject("P017")
    now = workflow.next()
    assert (now.step, now.button) == ("sensors", "Go on without 1 of 36 channels")
    assert "S05" in now.words
    workflow.press()
    move = "move the array 3 cm towards the patient's left: the positive pole of R is outside"
    told(feed, usable={"answer": "no", "reasons": [move], "seconds_needed": 0})
    assert workflow.next().words.startswith("Move the array 3 cm towards the patient's left")
    told(feed, usable={"answer": "not yet", "reasons": ["4 beats of 10"], "seconds_needed": 24})
    now = workflow.next()
    assert (now.step, now.button, now.tone) == ("aim", "Array is in place: go on", "good")
    workflow.press()
    now = workflow.next()
    assert (now.step, now.button) == ("preview", "● Record")
    assert "4 beats of 10" in now.words
    assert workflow.back()
    assert workflow.next().step == "aim"


def test_a_code_that_was_refused_is_asked_for_again(workflow):
    """Nobody is scanned under another's code: the scan goes on only when the code stands in the session."""
    workflow.confirm_subject("P017")
    assert not workflow.next().ready
    until(lambda: workflow.tick() or not workflow.acquisition.busy)
    assert workflow.acquisition.failed
    assert (workflow.next().step, workflow.next().ready) == ("subject", True)
    workflow.confirm_subject("P017")
    assert workflow.back()  # rather than wait
    assert workflow.next().button == "Enter the subject's code"
    workflow.confirm_subject("P017")
    workflow.feed.session = {**workflow.feed.session, "subject": "P017"}
    workflow.tick()
    assert workflow.next().step == "sensors"


def test_the_next_scan_is_not_taken_for_the_same_subject(workflow):
    workflow.feed.session = {**workflow.feed.session, "subject": "P017"}
    window = Window(workflow.feed, workflow=workflow)
    window._timer.stop()
    bar = window.workflow
    workflow.press()
    assert bar.line.text() == "P017"  # `Return` again says that it is right
    bar.enter()
    assert workflow.next().step == "sensors"
    workflow.begin_anew()
    assert workflow.next().button == "Enter the subject's code"
    assert "before was of P017" in workflow.next().words
    workflow.press()
    assert bar.line.text() == ""
    window.close()


def test_recording_counts_down_and_stop_says_whether_it_is_usable(workflow):
    feed = workflow.feed
    told(feed, recording=True, usable={"answer": "not yet", "reasons": ["4 beats of 10"], "seconds_needed": 24})
    assert workflow.next().button == "■ Stop · usable in 24 s"
    assert not workflow.back()
    told(feed, recording=True, usable={"answer": "yes", "reasons": [], "seconds_needed": 0})
    assert (workflow.next().button, workflow.next().tone) == ("■ Stop and report", "good")
    told(feed, recording=True, usable={"answer": "no", "reasons": ["no heartbeat in 20 s"], "seconds_needed": 0})
    assert (workflow.next().button, workflow.next().tone) == ("■ Stop", "alarm")
    assert "no heartbeat" in workflow.next().words
    feed.end("the source has ended")
    assert not workflow.next().ready


def until(what: Callable[[], object], seconds: float = 90.0) -> None:
    app, deadline = application(), time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        app.processEvents()
        time.sleep(0.1)  # painting is dear, and there are other tests


def test_an_order_that_cannot_be_given_is_said_in_the_bar(workflow):
    window = Window(workflow.feed, workflow=workflow)
    window._timer.stop()
    workflow.acquisition.mark("breath held")
    until(lambda: window.workflow.refresh() or workflow.acquisition.said)
    assert workflow.acquisition.failed
    assert "no zeromag stream answered" in workflow.acquisition.said
    assert grabbed(window.workflow).any()
    window.close()


def test_a_session_survives_its_file(tmp_path):
    sensor = {"gain": 1.02, "axis": [0.0, 0.0, 1.0], "position_m": [0.0, 0.1, 0.0], "time_constant_s": 0.001,
              "reads_of": {"S 2": 0.01}}  # fmt: skip
    session = Session(subject='P "17"').changed(
        **{"clean.line": 60, "map.pixels": 48, "calibration": {"S.1": sensor, "S 2": sensor}}
    )
    (tmp_path / "session.toml").write_text(session_toml(session), encoding="utf-8")
    assert read_session(tmp_path / "session.toml") == session


def test_settings_are_changed_saved_loaded_and_compared(tmp_path):
    parent, given = Window(Feed()), []
    parent._timer.stop()
    sheet = SettingsSheet(parent, parent.theme, Session().as_dict(), given.append)
    assert sheet.differs.text() == "This is what holds now."
    sheet.apply()
    assert given == []
    sheet.fields["clean.line"].setCurrentIndex(2)
    sheet.fields["map.pixels"].setValue(96)
    assert "clean.line: 0 → 60; map.pixels: 64 → 96" in sheet.differs.text()
    sheet.save(tmp_path / "mine.toml")
    assert read_session(tmp_path / "mine.toml").clean.line == 60
    sheet.reset()
    assert sheet.differs.text() == "This is what holds now."
    sheet.load(tmp_path / "mine.toml")
    assert "clean.line: 0 → 60" in sheet.differs.text()
    sheet.apply()
    assert given == [{"clean.line": 60, "map.pixels": 96}]
    (tmp_path / "bad.toml").write_text("[clean]\nlowpass = 4", encoding="utf-8")
    sheet.load(tmp_path / "bad.toml")
    assert "clean.low_pass" in sheet.differs.text()
    reached = {sheet.nextInFocusChain()}
    for _ in range(60):
        reached |= {widget.nextInFocusChain() for widget in reached}
    assert set(sheet.fields.values()) <= reached  # every field is reached by Tab
    sheet.close()
    parent.close()


@pytest.fixture
def instrument(tmp_path, monkeypatch):
    """Acquisition and processing of a simulated heart, and the endpoint of the processing."""
    monkeypatch.chdir(tmp_path)
    stop, ready = threading.Event(), {"a": threading.Event(), "b": threading.Event()}
    where: dict[str, str] = {}

    def hear(name: str, news: Any) -> None:
        if "endpoint" in news:
            where[name] = str(news["endpoint"])
            ready[name].set()

    session = Session(source=SOURCE)
    first = threading.Thread(
        target=acquire, args=(SOURCE,),
        kwargs={"stop": stop, "announce": lambda news: hear("a", news), "session": session.as_dict(),
                "record": None},
    )  # fmt: skip
    first.start()
    assert ready["a"].wait(30)
    second = threading.Thread(
        target=process, args=(where["a"],),
        kwargs={"session": session, "out": None, "stop": stop, "announce": lambda news: hear("b", news)},
    )  # fmt: skip
    second.start()
    assert ready["b"].wait(30)
    yield where["b"]
    stop.set()
    for thread in (second, first):
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.nightly  # a minute and a half on a busy machine
def test_a_whole_scan_from_the_keyboard(instrument):
    """Code, sensors, aim, preview, record, mark, setting, stop, report: every step by `Return`, nothing is lost."""

    opened: list[Any] = []
    with following(instrument) as feed, Control(instrument) as hand:
        flow = Workflow(feed, Acquisition(hand), report_of)
        flow.open_report = opened.append
        window = Window(feed, workflow=flow)
        window._timer.stop()
        window.show()
        application().processEvents()
        bar = window.workflow

        def now(step: str) -> Callable[[], bool]:
            return lambda: (
                window.tick() or (flow.next().step == step and flow.next().ready and not flow.acquisition.busy)
            )

        until(lambda: window.tick() or feed.session)
        until(now("subject"))
        QTest.keyClick(window, Qt.Key.Key_Return)
        assert bar.line.isVisible()
        QTest.keyClicks(bar.line, "P017")
        QTest.keyClick(bar.line, Qt.Key.Key_Return)
        until(now("sensors"))
        until(lambda: window.tick() or feed.session.get("subject") == "P017")
        QTest.keyClick(window, Qt.Key.Key_Return)
        until(lambda: now("aim")() and feed.averages)
        QTest.keyClick(window, Qt.Key.Key_Return)
        until(now("preview"))
        QTest.keyClick(window, Qt.Key.Key_Return)
        until(now("record"))
        assert window.feed.status.recording
        QTest.keyClick(window, Qt.Key.Key_K)
        QTest.keyClicks(bar.line, "breath held")
        QTest.keyClick(bar.line, Qt.Key.Key_Return)
        until(lambda: window.tick() or flow.acquisition.said.startswith("marked"))
        flow.acquisition.change({"map.pixels": 48}, feed.session)
        until(lambda: window.tick() or feed.session["map"]["pixels"] == 48)
        QTest.keyClick(window, Qt.Key.Key_U)
        until(lambda: window.tick() or feed.session["map"]["pixels"] == 64)
        until(lambda: window.tick() or sum(feed.status.beats.values()) >= 5)
        QTest.keyClick(window, Qt.Key.Key_Return)
        until(now("report"))
        assert flow.next().button == "Open the report", flow.next().words
        QTest.keyClick(window, Qt.Key.Key_Return)
        assert flow.next().step == "subject"  # ready for another scan
        window.close()
        flow.close()
    (report,) = opened
    assert "P017" in report.read_text(encoding="utf-8")
    recording = report.parent.parent / "raw.zm.h5"
    events = [event for block in replay(recording).blocks() for event in block.events]
    marks = [event.why for event in events if event.kind == "mark"]
    assert marks[0].startswith("breath held")
    assert re.fullmatch(r"note: sensor to pixel p50 \d+ ms, p99 \d+ ms over the last pictures", marks[-1])
    assert [event.why for event in events if event.kind == "session"] == ["map.pixels: 64 → 48", "map.pixels: 48 → 64"]
    assert session_from(read_session(report.parent / "session.toml").as_dict()).subject == "P017"
