"""What viewers are sent of a fast stream: the same field at the same instants, in a count of its own."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.acquire_streams import array
from zeromag.acquire.message import Description, End, Message, Result
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.simulate import simulation
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters import LowPass
from zeromag.live.broadcast import Broadcast, Pace
from zeromag.live.process import process
from zeromag.live.sparse import Sparse
from zeromag.scan.scan import Scan
from zeromag.scan.thinned import factor_for
from zeromag.session import Session
from zeromag.viz.feed import Feed

FAST = "sim:adult?seconds=4&rate=10000&heart_rate=90&rows=4&columns=4&references=0"


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.results: list[Result] = []
        self.ends: list[int] = []

    def __call__(self, block: Block) -> None:
        self.blocks.append(block)

    def result(self, result: Result) -> None:
        self.results.append(result)

    def end(self, samples: int, reason: str = "") -> None:
        del reason
        self.ends.append(samples)


def processed(blocks: list[Block]) -> list[Message]:
    """Return what a viewer from the first word on is told of these blocks by a processing of its own."""
    said: list[Any] = []
    ready, done = threading.Event(), threading.Event()

    def announce(news: Any) -> None:
        said.append(news)
        if "endpoint" in news:
            ready.set()

    with Publisher(Description(blocks[0].sensors, blocks[0].rate)) as publisher:
        work = threading.Thread(
            target=process, args=(publisher.endpoint,), daemon=True,
            kwargs={"session": Session(), "out": None, "stop": done, "announce": announce},
        )  # fmt: skip
        work.start()
        assert ready.wait(60)
        heard: list[Message] = []
        with Subscription(said[0]["endpoint"]) as viewer:
            heard.append(viewer.description)
            for block in blocks:
                publisher(block)
            until, last = time.monotonic() + 120, blocks[-1].t_ns
            while not isinstance(heard[-1], End):
                assert time.monotonic() < until
                message = viewer.receive(1.0)
                heard += [] if message is None else [message]
                if isinstance(message, Block) and message.t_ns == last:
                    done.set()
        work.join(60)
    return heard


@pytest.fixture(params=["one thread", "beats on a thread of their own"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeromag.live.process.LARGE", np.inf if request.param == "one thread" else 0.0)


@pytest.fixture(scope="module")
def fast() -> list[Block]:
    return [
        block.amended(t_ns=1000 + k) for k, block in enumerate(simulation(FAST, block=125).blocks())
    ]  # 125: no multiple of ten


@pytest.mark.usefixtures("threads")
def test_a_viewer_of_a_fast_stream_sees_the_same_field_at_the_same_instants(fast: list[Block]) -> None:
    heard = processed(fast)
    scan = Scan(fast[0], Session(), obey=True)
    scanned = [scan(block) for block in fast]
    cleaned = np.concatenate([each.cleaned.data for each in scanned])
    seen = [message for message in heard if isinstance(message, Block)]
    assert isinstance(heard[0], Description)
    assert heard[0].rate == 1000.0
    assert {block.rate for block in seen} == {1000.0}
    for block in seen:
        np.testing.assert_array_equal(block.data, cleaned[10 * block.first : 10 * block.stop : 10])
    assert seen[0].first == 0
    assert seen[-1].stop == len(cleaned) // 10
    beats = [message.fields["sample"] for message in heard if isinstance(message, Result) and message.name == "beat"]
    assert len(beats) >= 3
    assert beats == [beat.sample / 10 for each in scanned for beat in each.beats]
    whole = np.concatenate([block.data for block in seen])
    for beat in beats:  # the R peak stands where the viewer is told it does
        around = np.abs(whole[max(0, round(beat) - 100) : round(beat) + 100]).max(axis=1)
        assert np.abs(whole[round(beat) - 3 : round(beat) + 4]).max() > 0.9 * around.max()


def test_a_map_is_of_the_newest_sample_that_a_viewer_has(fast: list[Block]) -> None:
    heard, scan = Heard(), Scan(fast[0], Session(), obey=True)
    sparse = Sparse(heard, 10)
    broadcast = Broadcast(sparse, scan, Session(), recording=False, pace=Pace(patient=True))
    for block in fast:
        broadcast(scan(block, sparse))
    newest = {block.t_ns: block.stop - 1 for block in heard.blocks}
    maps = [result.fields for result in heard.results if result.name == "map"]
    assert len(maps) > 20
    assert all(fields["sample"] == newest[fields["t_ns"]] for fields in maps)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("inside", [0, 65])
def test_another_low_pass_is_another_rate_for_viewers(fast: list[Block], inside: int) -> None:
    half = len(fast) // 2
    change = fast[half].first + inside
    order = Event(change, "session", why="clean.low_pass: 100.0 → 400.0")
    heard = processed([*fast[:half], fast[half].amended(events=(order,)), *fast[half + 1 :]])
    rates = [message.rate for message in heard if isinstance(message, Description | Block)]
    assert set(rates) == {1000.0, 10000.0 / 3}
    assert rates == sorted(rates)
    assert not [
        event for message in heard if isinstance(message, Block) for event in message.events if event.kind == "gap"
    ]
    for message in heard:  # each sample under the settings that it was cleaned with
        if isinstance(message, Block):
            assert (message.first * 10000 / message.rate < change) == (message.rate == 1000.0)
    feed = Feed()
    for message in heard:
        feed.take(message)
    assert feed.message == ""
    assert feed.stream is not None
    assert feed.stream.rate == 10000.0 / 3
    last = next(message for message in reversed(heard) if isinstance(message, Block))
    assert feed.stream.values.stop == last.stop
    np.testing.assert_array_equal(feed.stream.values.newest(len(last))[0], last.data)


@pytest.mark.parametrize("factor", [1, 3, 10])
def test_however_it_is_cut_the_same_samples_come_out(factor: int) -> None:
    random = np.random.default_rng(factor)
    data, bad = random.normal(size=(1000, 6)), random.random((1000, 6)) < 0.1
    edges = [0, *sorted(random.choice(np.arange(1, 600), 80, replace=False)), 600]
    edges += [637, *sorted(random.choice(np.arange(638, 1000), 40, replace=False)), 1000]
    events = [Event(at, "mark", why=str(at)) for at in (0, 5, 17, 599, 700, 999)]
    heard = Heard()
    sparse = Sparse(heard, factor)
    for start, stop in pairwise(edges):
        if start == 600:
            continue  # a gap
        inside = tuple(event for event in events if start <= event.sample < stop)
        gap = (Event(600, "gap", samples=37),) if start == 637 else ()
        sparse(Block(data[start:stop], int(start), 1e4, array(6), bad[start:stop], (*gap, *inside), t_ns=int(stop)))
    at = [k for k in range(0, 1000, factor) if not 600 <= k < 637]
    assert [factor * k for block in heard.blocks for k in range(block.first, block.stop)] == at
    np.testing.assert_array_equal(np.concatenate([block.data for block in heard.blocks]), data[at])
    np.testing.assert_array_equal(np.concatenate([block.bad() for block in heard.blocks]), bad[at])
    told = [(block, event) for block in heard.blocks for event in block.events]
    assert [event.why for _, event in told if event.kind == "mark"] == [event.why for event in events]
    for block, event in told:
        inside = block.first <= event.sample < block.stop
        assert inside or event.kind == "gap"
    assert [round(event.samples * factor) for _, event in told if event.kind == "gap"] == [
        pytest.approx(37, abs=factor)
    ]
    sparse.end(1000)
    assert heard.ends == [-(-1000 // factor)]


def test_an_event_is_told_also_when_the_rate_changes_before_its_sample_comes() -> None:
    heard, data = Heard(), np.zeros((4, 6))
    sparse = Sparse(heard, 10)
    sparse(Block(data, 1, 1e4, array(6), events=(Event(2, "mark", why="here"),)))  # none of the four is passed on
    sparse.factor = 1
    sparse(Block(data, 5, 1e4, array(6)))
    assert [event.why for block in heard.blocks for event in block.events] == ["here"]


@pytest.mark.parametrize("corner", [40.0, 100.0, 125.0, 300.0])
def test_nothing_folds_back_into_the_band(corner: float) -> None:
    rate = 1e4
    factor = factor_for(rate, corner)
    kept = rate / factor
    time_s = np.arange(40_000) / rate
    folded = kept - corner  # comes out as `corner`, and all else that folds back into the band is weaker
    for above in (folded, kept + corner, 2 * kept - corner):
        wave = np.sin(2 * np.pi * above * time_s)
        block = Block(np.repeat(wave[:, None], 6, axis=1), 0, rate, array(6))
        heard = Heard()
        Sparse(heard, factor)(LowPass(corner).start(block)(block))
        settled = heard.blocks[0].data[len(heard.blocks[0]) // 2 :]
        assert np.abs(settled).max() < 5e-4


def test_a_slow_stream_is_passed_on_whole() -> None:
    heard = Heard()
    block = next(iter(simulation("sim:adult?seconds=1", block=1000).blocks()))
    sparse = Sparse(heard, factor_for(block.rate, 100.0))
    sparse(block)
    result = Result("beat", {"sample": 12.5})
    sparse.result(result)
    assert heard.blocks == [block]
    assert heard.results == [result]
