"""Looking back at a recording: what is shown anywhere in it is what a viewer of the stream had seen there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import connect

from tests.viz_qt import application, grabbed
from tests.viz_scene import opened
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Result, Stamp
from zeromag.acquire.recorded import Recorded
from zeromag.acquire.recording import recover, write_recording
from zeromag.acquire.source import open_source
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.block import Block
from zeromag.cli import main
from zeromag.errors import InputError
from zeromag.live.broadcast import Broadcast, Pace
from zeromag.live.recorded_session import recorded_session
from zeromag.live.review import BLOCK, reviewing, scan_into
from zeromag.scan.scan import Scan
from zeromag.session import Session
from zeromag.viz.feed import Feed
from zeromag.viz.page import serve_review
from zeromag.viz.review import Review
from zeromag.viz.timeline import Timeline

SOURCE = "sim:adult?seconds=16&heart_rate=80&ectopic_every=5&rate=500"
LOST = (4000, 4600)  # samples that were never written
MARK = 5200


class Told:
    """Takes what a broadcast tells, and keeps it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.results: list[tuple[int, Result]] = []

    def __call__(self, block: Block) -> None:
        self.blocks.append(block)

    def result(self, result: Result) -> None:
        self.results.append((self.blocks[-1].stop, result))

    def end(self, samples: int, reason: str = "") -> None:
        del samples, reason


def blocks_with_a_gap():
    for block in open_source(SOURCE, block=BLOCK).blocks():
        if not LOST[0] <= block.first < LOST[1]:
            yield block


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("review") / "raw.zm.h5"
    source = open_source(SOURCE, block=BLOCK)
    gone = Recorded(source.sensors, source.rate, lambda _: blocks_with_a_gap(), block=BLOCK)
    write_recording(path, gone, Session(source=SOURCE, subject="P017").as_dict())
    return path


@pytest.fixture(scope="module")
def scanned(recording) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of a timeline of the whole recording, and what was announced."""
    news: list[dict[str, Any]] = []
    folder = recording.parent / "timeline"
    folder.mkdir()
    scan_into(folder, recorded_session(recording).session, lambda one: news.append(dict(one)), lambda: False)
    return folder, news


@pytest.fixture(scope="module")
def live(recording) -> Told:
    """What a viewer of the running stream is told of the same recording, a map with every block."""
    told, session = Told(), recorded_session(recording).session
    scan = None
    for block in open_source(str(recording), block=BLOCK).blocks():
        if scan is None:
            scan = Scan(block, session)
            tell = Broadcast(told, scan, session, recording=False, pace=Pace(maps=1e-6, average=10.0, patient=True))
        tell(scan(block, told))
    return told


@pytest.fixture
def review(scanned) -> Review:
    folder, news = scanned
    review = Review(Timeline(folder), Feed(), "raw.zm.h5")
    for one in news:
        review.news.put(one)
    review.news.put({"ended": 0})
    review.tick(0)
    return review


def test_the_settings_are_those_it_was_recorded_with(recording):
    found = recorded_session(recording)
    assert (found.session.subject, found.session.source) == ("P017", str(recording))
    assert found.notes == ("samples are missing in it (gaps 1)",)


def test_samples_are_those_of_the_chain_to_the_bit(review, live):
    for block in (live.blocks[3], live.blocks[-1]):
        kept = review.timeline.block(block.first, block.stop)
        assert np.array_equal(kept.data, block.data, equal_nan=True)
        assert np.array_equal(kept.bad(), block.bad())
    gap = review.timeline.block(*LOST)
    assert np.isnan(gap.data).all()
    assert gap.bad().all()


def test_the_map_is_the_one_that_was_live_then(review, live):
    maps = [(at, result) for at, result in live.results if result.name == "map"]
    rng = np.random.default_rng(1)
    looked = 0
    for at, said in [maps[k] for k in rng.integers(20, len(maps), 12)]:
        if LOST[1] <= at < LOST[1] + 1000:
            continue  # the filters settle anew behind the gap
        found = review._scrub.map_at(at)
        assert found is not None
        np.testing.assert_array_equal(found.bz[-1].astype(np.float32), said.arrays["bz"])
        np.testing.assert_array_equal(found.jx[-1].astype(np.float32), said.arrays["jx"])
        looked += 1
    assert looked >= 8


def test_numbers_and_averages_are_those_of_the_place(review, live):
    averages = [(at, said) for at, said in live.results if said.name == "average" and said.fields["kind"] == "normal"]
    for at, said in averages:
        review.seek(at)
        assert review.feed.averages["normal"].nave == said.fields["nave"]
        np.testing.assert_array_equal(review.feed.averages["normal"].wave, said.arrays["wave"])
    review.seek(averages[0][0] - 1)
    assert "normal" not in review.feed.averages
    beats = [said.fields["sample"] for at, said in live.results if said.name == "beat" and at <= review.position]
    assert [beat.sample for beat in review.feed.beats] == beats


def test_the_traces_end_at_the_place(review):
    review.seek(3000)
    assert review.feed.stream.values.stop == 3000
    rows, first = review.feed.stream.values.newest(500)
    assert np.array_equal(rows, review.timeline.block(first, 3000).data)
    review.step(0.5)
    rows, first = review.feed.stream.values.newest(1000)
    assert np.array_equal(rows, review.timeline.block(2250, 3250).data)
    review.seek(-5)
    assert review.position == review.timeline.first + round(2.0 * review.rate)
    review.seek(10**9)
    assert review.position == review.timeline.stop


def test_one_goes_from_beat_to_beat_and_to_what_happened(review):
    review.seek(2000)
    review.to_beat(1)
    following = min(beat.sample for beat in review.beats() if beat.sample + 200 > 2000)
    assert review.position == round(following + 0.4 * 500)
    review.seek(0)
    places = []
    for _ in range(30):
        review.to_event(1)
        places.append(review.position)
    assert LOST[1] + 500 in places
    assert places == sorted(places)
    before = review.position
    review.to_event(-1)
    assert review.position < before


def test_it_plays_at_true_speed_and_holds_at_the_end(review):
    review.seek(2000)
    review.toggle_play(0)
    review.tick(100_000_000)
    assert (review.position, review.feed.state()) == (2050, "REPLAY")
    review.toggle_play(110_000_000)
    review.tick(300_000_000)
    assert (review.position, review.feed.state()) == (2050, "REVIEW")
    review.seek(review.timeline.stop - 10)
    review.toggle_play(0)
    review.tick(100_000_000)
    assert (review.playing, review.feed.state()) == (False, "REVIEW")


def test_what_is_shown_is_never_called_live(review):
    for now in (0, time.monotonic_ns(), 10**18):
        review.tick(now)
        assert review.feed.state(now) == "REVIEW"


def test_the_window_of_a_review(review):
    application()
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    from zeromag.viz.window import Window

    window = Window(review.feed, review=review)
    window._timer.stop()
    window.resize(1280, 720)
    window.show()
    window.tick()
    application().processEvents()
    assert window.header.state == "REVIEW"
    assert "latency p50 / p99" not in [reading.name for reading in window.header.readings]
    assert window.map.veil == window.traces.veil == ""
    bar = window.bar
    middle = QPoint(104 + (bar.width() - 254) // 2, 16)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=middle)
    assert review.position == pytest.approx(4000, abs=30)
    window.tick()
    before = grabbed(window.traces)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    window.tick()
    assert review.position == max(bar.sample_at(middle.x()) - 5000, 1000)
    assert not np.array_equal(grabbed(window.traces), before)
    QTest.keyClick(window, Qt.Key.Key_End)
    assert review.position == review.timeline.stop
    assert bar.words().endswith("of 0:16")
    hatched = grabbed(bar)
    assert (np.abs(hatched.astype(int) - [255, 123, 114]).sum(axis=2) < 90).sum() > 20  # the gap, in the alarm's colour
    assert window.height() == 720
    window.close()


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def journal_of(path: Path, seconds: float, *, cut: bool) -> None:
    source = open_source(SOURCE, block=BLOCK)
    with Journal(path) as journal:
        about = Description(source.sensors, source.rate, session=Session(source=SOURCE, subject="P018").as_dict())
        journal(encode_description(about, Stamp(1, 1, 0)))
        for sequence, block in enumerate(source.blocks()):
            if block.first >= seconds * source.rate:
                break
            journal(encode_block(block, Stamp(1, 1, sequence)))
        if not cut:
            journal(encode_end(End(block.first), Stamp(1, 1, sequence)), last=True)
    if cut:
        whole = path.read_bytes().rstrip(b"\0")
        path.write_bytes(whole[:-1000])


def test_a_cut_off_journal_is_shown_as_far_as_it_is_whole_by_a_process_of_its_own(tmp_path):
    journal_of(tmp_path / "raw.zmj", 8.0, cut=True)
    found = recorded_session(tmp_path)
    assert found.session.subject == "P018"
    assert "cut off: the last" in found.notes[0]
    with reviewing(found.session, found.notes) as review:
        until(lambda: review.tick(0) or review.done)
        assert review.timeline.stop == 4000 - BLOCK
        assert review.position == review.timeline.stop  # it follows the scan until somebody chooses a place
        assert "cut off: the last" in review.feed.message
        assert review.feed.averages["normal"].nave > 3
        folder = review.timeline._folder
    assert not folder.exists()


def test_a_damaged_recording_is_shown_from_its_journal(tmp_path):
    journal_of(tmp_path / "raw.zmj", 2.0, cut=False)
    assert recorded_session(tmp_path / "raw.zmj").notes == ()
    recover(tmp_path / "raw.zmj", tmp_path / "raw.zm.h5")
    assert recorded_session(tmp_path / "raw.zm.h5").notes == ()
    half = (tmp_path / "raw.zm.h5").read_bytes()
    (tmp_path / "raw.zm.h5").write_bytes(half[: len(half) // 2])
    found = recorded_session(tmp_path / "raw.zm.h5")
    assert found.session.source.endswith("raw.zmj")
    assert "raw.zm.h5 is damaged, this is its journal" in found.notes
    (tmp_path / "raw.zmj").unlink()
    with pytest.raises(InputError, match=r"is cut off: .* bytes of more than .* are there"):
        recorded_session(tmp_path / "raw.zm.h5")


def test_what_cannot_be_reviewed_is_said_in_a_sentence(tmp_path):
    for path, words in ((tmp_path / "none.fif", "there is no recording"), (tmp_path, "neither a recording nor")):
        with pytest.raises(InputError, match=words):
            recorded_session(path)
    (tmp_path / "summary.json").write_text('{"source": "gone.fif", "session": {}}', encoding="utf-8")
    with pytest.raises(InputError, match=r"gone\.fif of the results in .* is not here"):
        recorded_session(tmp_path)
    with pytest.raises(InputError, match="has no end"):
        scan_into(tmp_path, Session(source="sim:adult"), print, lambda: False)
    with reviewing(Session(source=str(tmp_path / "gone.fif"))) as review:
        until(lambda: review.tick(0) or review.done)
        assert "there is no file" in review.feed.message
        assert review.feed.state() == "REVIEW"


def test_the_page_plays_a_recording_from_its_beginning_and_says_so(review):
    stop, ready, told = threading.Event(), threading.Event(), []

    def announce(news: Mapping[str, object]) -> None:
        told.append(str(news["url"]))
        ready.set()

    server = threading.Thread(
        target=serve_review, args=(review,), kwargs={"stop": stop, "announce": announce}, daemon=True
    )
    server.start()
    assert ready.wait(20)
    with connect(told[0].replace("http", "ws") + "stream", origin=told[0].rstrip("/")) as stream:
        states, frames = set(), 0
        while "REPLAY" not in states:
            states |= {message["state"] for message in opened(stream.recv(timeout=20)) if message["kind"] == "state"}
            frames += 1
            stream.send(f"={frames}")
    assert states <= {"REVIEW", "REPLAY"}
    stop.set()
    server.join(20)
    assert not server.is_alive()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.zm.h5"], "there is no recording gone.zm.h5"),
        (["gone.zm.h5", "--from", "tcp://127.0.0.1:9"], "a recording or --from ENDPOINT, not both"),
        ([], "view needs a recording, or --from ENDPOINT"),
    ],
)
def test_the_command_says_what_it_wants(arguments, words, capsys, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(["view", *arguments]) == 1
    assert words in capsys.readouterr().err
