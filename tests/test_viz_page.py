"""The page: looked at in a real browser, pixel by pixel; and what it refuses."""

from __future__ import annotations

import base64
import http.client
import io
import os
import tarfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser import Browser, chromium
from tests.viz_scene import RATE, array, blues, centre, fill, grid, opened, pixels, reds, send_map, traces
from zeromag.block import Block
from zeromag.errors import LinkError
from zeromag.viz.feed import Feed
from zeromag.viz.mail import AHEAD, Mail, _map
from zeromag.viz.page import Door, serve_feed, serve_page

AXE = "https://registry.npmjs.org/axe-core/-/axe-core-4.10.3.tgz"
NO_BROWSER = "no browser: apt-get install -y chromium"


@pytest.fixture
def feed():
    return fill(Feed())


@pytest.fixture
def page(feed):
    """The URL of a served feed into which data keep coming."""
    told: list[str] = []
    ready, stop, hold = threading.Event(), threading.Event(), threading.Event()

    def announce(news):
        told.append(str(news["url"]))
        ready.set()

    def pulse():
        while not stop.wait(0.03):
            if not hold.is_set():
                feed.arrived_ns = time.monotonic_ns()

    server = threading.Thread(target=serve_feed, args=(feed,), kwargs={"stop": stop, "announce": announce}, daemon=True)
    beat = threading.Thread(target=pulse)
    server.start()
    beat.start()
    assert ready.wait(20)
    yield told[0], hold
    stop.set()
    server.join(20)
    beat.join(20)
    assert not server.is_alive()


def received(url: str, **headers: str) -> list[dict[str, Any]]:
    """The messages of the first two frames."""
    address = url.replace("http", "ws") + "stream"
    with connect(address, origin=headers.pop("origin", url.rstrip("/")), **headers) as socket:
        return opened(socket.recv(timeout=20)) + opened(socket.recv(timeout=20))


@pytest.mark.skipif(chromium() is None, reason=NO_BROWSER)
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_the_page_shows_the_heart_the_right_way_round(page, dark):
    url, hold = page
    with Browser(url, dark=dark) as browser:
        browser.until(
            "typeof seen !== 'undefined' && seen.map && seen.status && seen.state && ring.stop > 0 && ring.gain > 0"
        )
        browser.until("document.getElementById('badge').textContent === 'LIVE'")
        box = browser.value("(({x, y, width, height}) => [x, y, width, height])($('map').getBoundingClientRect())")
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        picture = pixels(browser.picture())
        left, top, width, height = (round(v) for v in box)
        canvas = picture[top : top + height, left : left + width - 96]  # without the colour bar
        across, down = centre(reds(canvas))
        other_across, other_down = centre(blues(canvas))
        assert across > other_across + 0.3 * canvas.shape[1]  # patient's left, out of the chest: right and up, red
        assert down < other_down - 0.3 * canvas.shape[0]
        words = browser.value("document.body.innerText")
        assert "Research use. Not a medical device." in words
        assert "59 /min" in words
        assert "S05 jumping 9 steps of 25 pT" in " ".join(words.split())
        assert "few beats" in words
        assert browser.value("[seen.hello.out, seen.hello.into]") == ["out of chest (+)", "into chest (−)"]
        hold.set()
        browser.until("document.querySelector('.map .veil').textContent.startsWith('STALE')")
        assert browser.value("document.getElementById('badge').textContent") == "STALE"
        assert not browser.value("document.querySelector('.map .veil').hidden")


@pytest.mark.skipif(chromium() is None, reason=NO_BROWSER)
def test_traces_drawn_bit_by_bit_are_the_picture_drawn_at_once(page, feed):
    url, _ = page
    sensors = array()
    data, at = traces(sensors, 20.0), 6000
    with Browser(url) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && ring.stop === 6000 && ring.gain > 0")
        browser.value("settle = () => {}; 1")  # gain and zero lines stay
        while at < 9000:  # beyond the right edge and on from the left
            feed.block(Block(data=data[at : at + 100].copy(), first=at, rate=RATE, sensors=sensors))
            at += 100
            browser.until(f"ring.stop === {at} && !due.has('traces')")
        shot = "(() => { const c = $('traces'); return c.toDataURL().split(',')[1]; })()"
        bit_by_bit = pixels(base64.b64decode(browser.value(shot)))
        at_once = pixels(base64.b64decode(browser.value(f"(drawTraces.key = '', drawTraces(), {shot})")))
    assert (bit_by_bit > 100).any(axis=2).sum() > 2000  # there are traces
    differs = np.abs(bit_by_bit.astype(int) - at_once.astype(int)).max(axis=2) > 60
    assert differs.mean() < 0.001


SAID = """(() => {
  const said = {}, strokes = [], Plain = window.Path2D, pen = CanvasRenderingContext2D.prototype;
  const [write, stroke] = [pen.fillText, pen.stroke];
  window.Path2D = class extends Plain {
    constructor() { super(); this.across = []; }
    moveTo(x, y) { this.across.push(x); super.moveTo(x, y); }
  };
  pen.fillText = function (text, x, y) {
    const at = this.getTransform().transformPoint(new DOMPoint(x, y));
    said[text] = [at.x, at.y];
    write.call(this, text, x, y);
  };
  pen.stroke = function (path) {
    const { across } = path || {};
    if (path) strokes.push([this.getLineDash().length > 0, across.reduce((a, b) => a + b, 0) / across.length]);
    stroke.apply(this, arguments);
  };
  drawMap.key = ""; drawMap();
  window.Path2D = Plain; pen.fillText = write; pen.stroke = stroke;
  const still = drawMap.still.getContext("2d"), x = said["+50"][0] - 14;
  const colour = (name, by) => [...still.getImageData(x, said[name][1] + by, 1, 1).data];
  return { said, strokes, top: colour("+50", 3), bottom: colour("−50", -3) };
})()"""


@pytest.mark.skipif(chromium() is None, reason=NO_BROWSER)
def test_the_words_stand_on_the_side_they_mean(page):
    """R at the left, head above, the bar's plus and red above; lines into the chest dashed, at the patient's right."""
    url, _ = page
    with Browser(url) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && seen.hello && ink.text")
        found = browser.value(SAID)
    said = found["said"]
    assert said["R"][0] < said["L"][0]
    assert said["head"][1] < said["foot"][1]
    assert said["out of chest (+)"][1] < said["into chest (−)"][1]
    assert said["+50"][1] < said["+25"][1] < said["0"][1] < said["−50"][1]
    assert said["+"][0] > said["−"][0] + 50  # the poles' marks
    assert said["+"][1] < said["−"][1] - 50
    assert found["top"][0] > found["top"][2] + 60
    assert found["bottom"][2] > found["bottom"][0] + 60
    (into, its_across), (out, other_across), (zero, _) = found["strokes"]
    assert (into, out, zero) == (True, False, False)
    assert its_across < other_across


STROKES = """((draw) => {
  const at = [];
  const pen = { beginPath() {}, stroke() {}, moveTo(x, y) { at.push(y); }, lineTo(x, y) { at.push(y); } };
  draw(pen);
  return at;
})"""


@pytest.mark.skipif(chromium() is None, reason=NO_BROWSER)
def test_up_is_up_for_arrows_and_traces(page):
    """A current to the head points to the top of the page; S11, over which the field comes out, has its R upwards."""
    url, _ = page
    with Browser(url) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && ring.gain > 0")
        one = "{ arrow_x: [0], arrow_y: [0], jx: [0], jy: [1] }"
        tail, tip, *_ = browser.value(f"{STROKES}((pen) => drawArrows(pen, {one}, (x) => x, (y) => -y, 100))")
        drawn = "trace(pen, 2, 8, 0, 99, ring.stop / 100, (p) => p, 0)"
        trace = browser.value(f"{STROKES}((pen) => {drawn})")
        assert browser.value("seen.description.names[2]") == "S11"
    assert tip < tail  # rows count from the top
    assert -min(trace) > 3 * max(trace)


@pytest.fixture
def axe() -> str:
    """The script of axe-core, which is nobody's to copy here: from $ZEROMAG_AXE, or from the registry."""
    own = os.environ.get("ZEROMAG_AXE")
    if own:
        return Path(own).read_text(encoding="utf-8")
    try:
        with urlopen(AXE, timeout=20) as answer:
            packed = answer.read()
    except OSError as error:
        pytest.skip(f"no axe-core: set ZEROMAG_AXE to its axe.min.js ({error})")
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.mark.nightly
@pytest.mark.skipif(chromium() is None, reason=NO_BROWSER)
@pytest.mark.parametrize(("width", "dark"), [(1280, True), (1024, False), (390, True)])
def test_the_page_has_no_fault_of_access(page, axe, width, dark):
    url, _ = page
    with Browser(url, width=width, dark=dark) as browser:
        browser.until("typeof seen !== 'undefined' && seen.map && seen.status && ring.gain > 0")
        browser.value(axe + "; 1")
        faults = browser.value(
            "axe.run().then((found) => found.violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
        )
        assert [fault for fault in faults if fault[0] in ("serious", "critical")] == []
        browser.value("document.body.style.setProperty('--quiet', '#333'); document.body.style.background = '#222'; 1")
        worse = browser.value("axe.run().then((found) => found.violations.map((v) => v.id))")
        assert "color-contrast" in worse  # it can find one


def test_a_newcomer_gets_everything_once(page):
    url, _ = page
    kinds = {message["kind"]: message for message in received(url)}
    assert list(kinds) == ["hello", "description", "traces", "map", "average", "status", "state"]
    assert kinds["traces"]["values"].shape == (6000, 8)
    assert kinds["map"]["limit"] == pytest.approx(50)
    index = kinds["map"]["index"]
    row, column = np.unravel_index(index.argmax(), index.shape)
    assert row < 20  # the top of the picture is the head
    assert column > 40  # its right the patient's left


def test_a_reconnecting_page_is_served_again(page):
    url, _ = page
    assert received(url)[0]["kind"] == received(url)[0]["kind"] == "hello"


@pytest.mark.parametrize(("host", "code"), [("evil.example", 421), ("127.0.0.1", 421), (None, 200)])
def test_only_its_own_name_is_served(page, host, code):
    url, _ = page
    own = url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(own, timeout=20)
    connection.request("GET", "/", headers={"Host": host or own})
    answer = connection.getresponse()
    assert answer.status == code
    answer.read()
    connection.close()


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css"])
def test_nothing_is_loaded_from_elsewhere(page, path):
    url, _ = page
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200
    assert "default-src 'none'" in str(answer.headers["Content-Security-Policy"])
    assert "http://" not in text
    assert "https://" not in text
    connection.request("POST", path)
    assert connection.getresponse().status == 405
    connection.close()


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_a_foreign_origin_gets_no_stream(page, origin):
    url, _ = page
    with pytest.raises(InvalidStatus, match="403"):
        received(url, origin=origin)


def test_a_map_travels_once(page, feed):
    url, _ = page
    address = url.replace("http", "ws") + "stream"
    with connect(address, origin=url.rstrip("/")) as socket:
        kinds = []
        while kinds.count("state") < 5:
            kinds += [message["kind"] for message in opened(socket.recv(timeout=20))]
            if kinds.count("state") == 2 and kinds[-1] == "state":
                send_map(feed, grid())
    assert kinds.count("map") == 2
    assert kinds.count("average") == kinds.count("description") == kinds.count("status") == 1


def test_a_viewer_whose_line_is_slow_is_not_shown_the_past(page):
    """Nothing more is sent than 0.2 s of pictures that have not arrived; the rest is skipped."""
    url, _ = page
    with connect(url.replace("http", "ws") + "stream", origin=url.rstrip("/")) as socket:
        for _ in range(AHEAD):
            socket.recv(timeout=20)
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.5)
        socket.send("=99999")  # more than was ever sent counts as all of it
        for _ in range(AHEAD):
            socket.recv(timeout=20)
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.5)


def test_many_viewers_get_what_was_packed_once(feed):
    one, other, late = Mail(), Mail(), Mail()
    for mail in (one, other):
        mail.hello()
        mail.due(feed, 10**9)
    send_map(feed, grid())
    before = _map.cache_info().misses
    assert one.due(feed, 2 * 10**9) == other.due(feed, 2 * 10**9)
    assert opened(late.due(feed, 2 * 10**9))[2]["kind"] == "map"
    assert _map.cache_info().misses == before + 1


def test_the_latency_is_that_of_the_drawn_samples(page, feed):
    url, _ = page
    address = url.replace("http", "ws") + "stream"
    with connect(address, origin=url.rstrip("/")) as socket:
        socket.send("nonsense")
        socket.send("9" * 500)
        socket.send(b"\x00")
        told, count = None, 0
        while told is None:
            messages = {message["kind"]: message for message in opened(socket.recv(timeout=20))}
            count += 1
            socket.send(f"={count}")
            if "traces" in messages:
                assert messages["traces"]["t_ns"] == str(feed.t_ns)
                socket.send(messages["traces"]["t_ns"])
            told = messages.get("latency")
    assert told["p50"] <= told["p99"] <= (time.monotonic_ns() - feed.t_ns) / 1e6


def test_wrong_places_are_refused_in_a_sentence(feed):
    stop = threading.Event()
    with pytest.raises(LinkError, match="an endpoint looks like"):
        serve_page("nonsense", stop=stop, announce=print)
    with pytest.raises(LinkError, match=r"give --keys DIR"):
        serve_feed(feed, stop=stop, announce=print, door=Door(host="0.0.0.0"))
