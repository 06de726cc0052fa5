"""Window and page on a real stream over real sockets: found, followed, lost, ended."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import zmq

from tests.viz_qt import application
from tests.viz_scene import RATE, array, grid, pole_map, status
from zeromag.acquire.keys import allow, new_keys
from zeromag.acquire.message import Description, Result
from zeromag.acquire.publisher import Publisher
from zeromag.block import Block
from zeromag.errors import LinkError, ZeromagError
from zeromag.viz.feed import Feed
from zeromag.viz.page import serve_page
from zeromag.viz.receiver import following


def until(what, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def pushed(publisher: Publisher, stop: threading.Event) -> None:
    """Publish blocks, and all there is about them, until told to stop."""
    sensors, of, count = array(), grid(), 0
    bz = pole_map(of).astype(np.float32)
    while not stop.wait(0.01):
        data = np.full((10, 36), count * 1e-15)
        publisher(Block(data=data, first=10 * count, rate=RATE, sensors=sensors, t_ns=time.monotonic_ns()))
        if count % 10 == 0:
            publisher.result(Result("grid", {}, {"x": of.x, "y": of.y, "mask": of.mask}))
            arrays = {"bz": bz, "bz_sd": np.zeros_like(bz), "jx": np.zeros_like(bz), "jy": np.zeros_like(bz)}
            publisher.result(Result("map", {"sample": 10 * count, "t_ns": time.monotonic_ns()}, arrays))
            publisher.result(Result("status", status(sensors)))
        count += 1
    publisher.end(10 * count, "the source has ended")


@pytest.fixture
def stream():
    """The endpoint of a running stream, and what ends it."""
    stop = threading.Event()
    with Publisher(Description(array(), RATE, {"source": "test"})) as publisher:
        thread = threading.Thread(target=pushed, args=(publisher, stop))
        thread.start()
        yield publisher.endpoint, stop
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_a_stream_is_followed_to_its_end(stream):
    endpoint, stop = stream
    with following(endpoint) as feed:
        until(lambda: feed.map is not None and feed.status.samples > 0 and feed.stream.values.stop > 0)
        assert feed.state() in ("LIVE", "STALE")  # stale only where this machine stood still for 200 ms
        assert feed.message == ""
        assert feed.session == {"source": "test"}
        stop.set()
        until(lambda: feed.ended is not None)
    assert (feed.state(), feed.ended) == ("ENDED", "the source has ended")


def test_a_viewer_with_an_allowed_key_sees_an_encrypted_stream_and_one_without_sees_nothing(tmp_path):
    new_keys(tmp_path, "server")
    allow(tmp_path, new_keys(tmp_path, "client"), "view", "test")
    stop = threading.Event()
    with Publisher(Description(array(), RATE, {}), keys=tmp_path) as publisher:
        thread = threading.Thread(target=pushed, args=(publisher, stop))
        thread.start()
        with following(publisher.endpoint, tmp_path) as allowed, following(publisher.endpoint) as stranger:
            until(lambda: allowed.map is not None)
            until(lambda: stranger.message != "")
            assert stranger.stream is None
        stop.set()
        thread.join(20)


def test_where_nobody_answers_it_is_said_and_tried_again():
    with following("tcp://127.0.0.1:9") as feed:
        until(lambda: feed.message != "")
    assert "no zeromag stream answered at tcp://127.0.0.1:9" in feed.message
    assert feed.state() == "WAITING"


def test_a_stream_of_another_version_is_named_as_such():
    """Frames of a version that is to come: the viewer waits and says why it shows nothing."""
    from zeromag.acquire.message import Stamp
    from zeromag.acquire.wire import encode_description

    frame = bytearray(encode_description(Description(array(), RATE), Stamp(1, 1, 0)))
    frame[4] = 99
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 0
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        with following(f"tcp://127.0.0.1:{port}") as feed:

            def told() -> bool:
                socket.send(bytes(frame))
                return "of no version this zeromag reads" in feed.message

            until(told)
            assert feed.state() == "WAITING"


def test_a_window_on_a_stream_ends_when_asked(stream, monkeypatch):
    application()
    from zeromag.viz.show import open_window

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    endpoint, _ = stream
    stop, told = threading.Event(), []
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    assert open_window(endpoint, stop=stop, announce=told.append) == 0
    timer.join()
    assert told[0] == {"shown": "window"}
    assert all(set(news) <= {"shown", "drawing", "drawn_ms", "pictures"} for news in told)


def test_a_window_refuses_what_is_no_endpoint(monkeypatch):
    application()
    from zeromag.viz.show import open_window

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with pytest.raises(LinkError, match="an endpoint looks like"):
        open_window("somewhere")
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(ZeromagError, match="needs a display"):
        open_window("tcp://127.0.0.1:9")


def test_a_page_on_a_stream_ends_when_asked(stream):
    endpoint, _ = stream
    stop, told = threading.Event(), []

    def announce(news):
        told.append(news)
        stop.set()

    assert serve_page(endpoint, stop=stop, announce=announce) == 0
    assert told[0]["url"].startswith("http://127.0.0.1:")


def test_the_footer_says_what_went_wrong():
    application()
    from zeromag.viz.window import Window

    feed = Feed()
    feed.message = "no zeromag stream answered"
    window = Window(feed)
    window._timer.stop()
    window.tick()
    assert window.footer.message == "no zeromag stream answered"
    window.close()
