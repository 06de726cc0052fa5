"""Control while it runs: marks, recordings and settings at a block's boundary, by who may, written down."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from tests.acquire_streams import RATE, Counter, array, counted, is_counted, joined
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.control import Control
from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.keys import Role, allow, new_keys, revoke
from zeromag.acquire.message import Description
from zeromag.acquire.mne_raw import read_raw
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import verify
from zeromag.acquire.replay import replay
from zeromag.acquire.shelf import Shelf
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import LinkError
from zeromag.event import Event
from zeromag.session import Session, session_from


class Acquisition:
    """One acquisition on a thread: where it is, what it told, what it left."""

    def __init__(self) -> None:
        self.stop, self.ready = threading.Event(), threading.Event()
        self.told: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.endpoint = ""

    def hear(self, news: dict[str, Any]) -> None:
        self.told.append(news)
        if "endpoint" in news:
            self.endpoint = str(news["endpoint"])
            self.ready.set()


@contextmanager
def acquiring(source: Any, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Iterator[Acquisition]:
    monkeypatch.setattr("zeromag.acquire.acquirer.open_source", lambda *_, **__: source)
    run = Acquisition()
    more = {"session": Session().as_dict(), **more}

    def work() -> None:
        run.summary = acquire("counter", stop=run.stop, announce=run.hear, **more)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert run.ready.wait(10)
        yield run
    finally:
        run.stop.set()
        thread.join(60)


def events_of(path: Path) -> list[Event]:
    return [event for block in replay(path).blocks() for event in block.events]


def test_what_is_ordered_is_in_journal_recording_and_annotations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acquiring(Counter(10**9), monkeypatch, record=tmp_path) as run, Control(run.endpoint) as control:
        marked = control.mark("breath held")
        changed = control.change({"clean.line": 60, "beats.before": 0.25})
        assert control.state().session["clean"]["line"] == 60
        assert control.state().journal == str(tmp_path / "raw.zmj")
    wanted = [
        Event(marked, "mark", why="breath held"),
        Event(changed, "session", why="clean.line: 0 → 60"),
        Event(changed, "session", why="beats.before: 0.3 → 0.25"),
    ]
    assert changed % 10 == 0  # at a block's boundary
    assert events_of(tmp_path / "raw.zmj") == wanted
    assert events_of(tmp_path / "raw.zm.h5") == wanted
    assert verify(tmp_path / "raw.zm.h5") == []
    raw = read_raw(tmp_path / "raw.zm.h5")
    notes = {(note["description"], round(note["onset"] * RATE)) for note in raw.annotations}
    assert notes == {("breath held", marked), *((f"session {event.why}", changed) for event in wanted[1:])}
    sessions = [frame for header, frame in JournalFile(tmp_path / "raw.zmj").frames() if header.kind == 2]
    assert b"line\x3c" in sessions[-1]  # msgpack: 60
    assert len(sessions) == 2


def test_a_recording_holds_the_stream_from_start_to_stop_to_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Block] = []
    with acquiring(Counter(10**9), monkeypatch) as run, Control(run.endpoint) as control:
        monkeypatch.chdir(tmp_path)
        reader = Subscription(run.endpoint)
        eye = threading.Thread(target=lambda: got.extend(reader.blocks()))
        eye.start()
        first = Path(control.start_recording("one/a"))
        assert control.state().recording
        with pytest.raises(LinkError, match="stop that first"):
            control.start_recording()
        marked = control.mark("in it")
        assert control.stop_recording() == str(first)
        outside = control.mark("in none")
        with pytest.raises(LinkError, match="nothing is being recorded"):
            control.stop_recording()
        second = Path(control.start_recording())
        assert second.parent.name.startswith("scan-2")
    eye.join(30)
    assert first == tmp_path / "one" / "a" / "raw.zmj"
    started, stopped, *_ = (e.sample for b in got for e in b.events if e.kind.startswith("recording/"))
    kept = list(replay(first.with_suffix(".zm.h5")).blocks())
    assert kept[0].first == started <= marked < kept[-1].stop == stopped <= outside
    assert is_counted(kept)
    assert len(joined(kept)) == stopped - started
    for journal in (first, second):
        assert verify(journal.with_suffix(".zm.h5")) == []
        assert verify(journal) == []
    assert {path["recording"] for path in run.told if "recording" in path} == {
        str(journal.with_suffix(".zm.h5")) for journal in (first, second)
    }
    assert got[0].first == 0  # the stream itself went on all the time
    assert is_counted(got)
    assert len(joined(got)) == run.summary["samples"]


def test_a_late_reader_is_served_from_the_journal_of_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that begins in the middle answers for what it holds, and for nothing else."""
    monkeypatch.setattr("zeromag.acquire.publisher.Shelf", lambda _: Shelf(4000))
    with acquiring(Counter(10**9), monkeypatch, record=tmp_path) as run, Control(run.endpoint) as control:
        control.stop_recording()
        Path(control.start_recording())
        start = control.mark("here")
        until(lambda: control.state().sample > start + 300)
        reader = Subscription(run.endpoint)
        blocks = reader.blocks()
        got = [next(blocks)]
        while got[-1].stop < start + 300:
            got.append(next(blocks))
        blocks.close()
    assert is_counted(got)
    assert any(event.why == "here" for block in got for event in block.events)
    begun = [b for b in got if any(e.kind == "recording/started" for e in b.events)]
    assert len(begun) == 1  # and all that followed without a gap
    after = got[got.index(begun[0]) :]
    assert after[-1].stop - after[0].first == len(joined(after))


def until(happened: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Stalled(Counter):
    """Gives one block and then nothing until it is let go."""

    go = threading.Event()

    def blocks(self) -> Generator[Block, None, None]:
        for block in super().blocks():
            yield block
            assert self.go.wait(20)


def test_an_order_that_no_block_comes_for_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeromag.acquire.desk.PATIENCE", 0.2)
    with acquiring(Stalled(1000), monkeypatch) as run, Control(run.endpoint) as control:
        monkeypatch.chdir(tmp_path)
        for order in (lambda: control.mark("x"), control.start_recording, lambda: control.change({"clean.line": 50})):
            with pytest.raises(LinkError, match="nothing was done: no block came"):
                order()
        run.stop.set()
        Stalled.go.set()
    assert list(tmp_path.rglob("*.zmj")) == []  # what was opened for nothing is gone
    assert run.summary["samples"] == 10


def test_what_cannot_be_is_one_sentence_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: list[tuple[Callable[[Control], object], str]] = [
        (lambda c: c.change({"clean.lines": 50}), "clean.lines; the nearest one is clean.line"),
        (lambda c: c.change({"clean.line": 55}), "does not fit"),
        (lambda c: c.change({"source": "sim:fetal"}), "source cannot change"),
        (lambda c: c.change({"acquire.block": 5}), "acquire.block cannot change"),
        (lambda c: c.start_recording("/etc"), "below the folder of the acquisition"),
        (lambda c: c.start_recording("a/../../b"), "below the folder of the acquisition"),
        (lambda c: c.mark("two\nlines"), "one line"),
        (lambda c: c.mark("x" * 201), "1 to 200 characters, got 201"),
        (lambda c: c.mark("  "), "one line"),
    ]
    with acquiring(Counter(10**9), monkeypatch, record=tmp_path) as run, Control(run.endpoint) as control:
        control.mark("a block is kept")
        control.stop_recording()
        for order, words in wrong:
            with pytest.raises(LinkError, match=words):
                order(control)
            assert session_from(control.state().session) == Session()
            assert not control.state().recording
            assert control.mark("still there") > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw.zm.h5", "raw.zmj"]


def test_nonsense_is_answered_and_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    with acquiring(Counter(10**9), monkeypatch, record=tmp_path) as run, Subscription(run.endpoint) as reader:
        dealer = zmq.Context.instance().socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(reader.description.control)
        texts = [b"", b"{", b"[]", b'{"do":"erase"}', b'{"do":"mark"}', b'{"do":"mark","text":5}', b"[" * 60_000]
        texts += [b'{"do":"mark","text":"x","more":1}', b'{"do":"change","settings":{"a":{"b":1}}}', b"\xff\xfe"]
        texts += [rng.bytes(int(rng.integers(1, 400))) for _ in range(200)]
        for text in texts:
            dealer.send(text)
            assert dealer.poll(5000)
            answer = json.loads(dealer.recv())
            assert not answer["done"]
            assert answer["why"]
        dealer.send_multipart([b"a", b"b"])
        dealer.close()
        with Control(run.endpoint) as control:
            control.mark("alive")
    assert [event.why for event in events_of(tmp_path / "raw.zmj")] == ["alive"]


def test_a_stream_without_an_acquisition_says_that_it_cannot_be_controlled() -> None:
    with (
        Publisher(Description(array(), RATE)) as publisher,
        Control(publisher.endpoint) as control,
        pytest.raises(LinkError, match="cannot be controlled"),
    ):
        control.mark("x")


def test_a_dead_acquisition_is_said_and_the_next_order_finds_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with acquiring(Counter(10**9), monkeypatch) as run:
        endpoint = run.endpoint
        control = Control(endpoint, patience=1.0)
        control.mark("first")
    with pytest.raises(LinkError, match="answer"):
        control.mark("nobody")
    with acquiring(Counter(10**9), monkeypatch, bind=endpoint):
        assert control.mark("second") >= 0
    control.close()


def person(server: Path, name: str, role: Role) -> Path:
    folder = server.parent / name
    key = new_keys(folder, "client")
    shutil.copy(server / "server.pub", folder)
    allow(server, key, role, name)
    return folder


def test_only_the_role_control_is_obeyed_and_each_order_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "server"
    new_keys(server, "server")
    nurse, guest = person(server, "nurse", "control"), person(server, "guest", "view")
    run_at = {"bind": "tcp://0.0.0.0:*", "keys": server, "record": tmp_path / "out"}
    with acquiring(Counter(10**9), monkeypatch, **run_at) as run:
        endpoint = run.endpoint.replace("0.0.0.0", "127.0.0.1")
        with Control(endpoint, nurse) as control, Control(endpoint, guest) as watching:
            control.mark("Mrs Smith moved")
            with pytest.raises(LinkError, match="may view but not control"):
                watching.stop_recording()
            revoke(server, "nurse")
            with pytest.raises(LinkError):
                control.stop_recording()
        with Control(endpoint, patience=0.5) as plain, pytest.raises(LinkError, match="no zeromag stream answered"):
            plain.mark("x")
        assert run.stop.is_set() is False
    lines = [json.loads(line) for line in (server / "audit.log").read_text().splitlines()]
    orders = [(line["do"], line["result"]) for line in lines if line["action"] == "control"]
    assert orders[:2] == [("mark", "done"), ("stop", "refused")]
    assert ("stop", "done") not in orders
    assert "Smith" not in (server / "audit.log").read_text()
    assert [event.why for event in events_of(tmp_path / "out" / "raw.zmj")] == ["Mrs Smith moved"]
    assert joined(list(replay(tmp_path / "out" / "raw.zm.h5").blocks())).shape[0] == run.summary["samples"]


def test_on_this_machine_alone_each_connection_and_order_is_a_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with acquiring(Counter(10**9), monkeypatch, record=tmp_path / "out") as run, Control(run.endpoint) as control:
        control.mark("Mrs Smith moved")
        control.state()
        with pytest.raises(LinkError, match="records into"):
            control.start_recording()
    log = tmp_path / "state" / "zeromag" / "audit.log"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["from"] for line in lines} == {"127.0.0.1"}
    orders = [(line["do"], line["result"]) for line in lines if line["action"] == "control"]
    assert orders == [("mark", "done"), ("record", "refused")]
    connections = [line["result"] for line in lines if line["action"] == "connect"]
    assert connections == ["accepted"] * 2  # the description by one socket, the orders by another
    assert "Smith" not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


class Paced(Counter):
    """A device in its own time: blocks of 100 ms with their arrival."""

    def blocks(self) -> Generator[Block, None, None]:
        start = time.monotonic_ns()
        for block in Counter(self.samples, 100).blocks():
            due = start + round(block.stop * 1e9 / RATE)
            time.sleep(max(0.0, (due - time.monotonic_ns()) * 1e-9))
            yield Block(block.data, block.first, RATE, block.sensors, t_ns=due)


def test_a_mark_stands_at_the_sample_that_was_taken_when_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    from zeromag.acquire.desk import _place

    block = Block(counted(100, 200, 6), 100, RATE, array(), t_ns=5_000_000_000)
    assert _place(block, 5_000_000_000) == 199
    assert _place(block, 4_950_000_000) == 149
    assert _place(block, 1) == 100
    assert _place(block, 9_000_000_000) == 199
    with acquiring(Paced(10**9), monkeypatch) as run, Control(run.endpoint) as control:
        samples = [control.mark("x") for _ in range(4)]
    assert samples == sorted(samples)
    assert len({sample % 100 for sample in samples}) > 1  # not at the boundaries of the blocks
