"""Beats taken beside the cleaning: the same words to viewers, in the same order, and no failure unheard."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from zeromag.acquire.message import Description, End, Message, Result
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.simulate import simulation
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.event import Event
from zeromag.live.broadcast import Broadcast, Pace
from zeromag.mapping.averager import Averaging
from zeromag.scan.aside import Aside
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan, Scanned
from zeromag.session import Session

SOURCE = "sim:adult?seconds=12&rate=500&rows=4&columns=4&heart_rate=100"


class Heard:
    """Keeps what a publisher would send, samples and results apart."""

    def __init__(self) -> None:
        self.blocks, self.results, self.threads = list[Block](), list[Result](), set[int]()

    def __call__(self, block: Block) -> None:
        self.blocks.append(block)

    def result(self, result: Result) -> None:
        self.results.append(result)
        self.threads.add(threading.get_ident())

    def end(self, samples: int, reason: str = "") -> None:
        del samples, reason


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    """Return a stream with a gap, and another low-pass inside a block."""
    whole = list(simulation(SOURCE, block=50).blocks())
    order = Event(whole[60].first + 20, "session", why="clean.low_pass: 100.0 → 40.0")
    whole[60] = whole[60].amended(events=(order,))
    return whole[:30] + whole[33:]


def told(blocks: list[Block], *, aside: bool) -> tuple[Heard, Outcome]:
    heard, session = Heard(), Session(source=SOURCE)

    def tell(scanned: Scanned) -> None:
        broadcast(scanned)

    scan = Scan(blocks[0], session, obey=True, aside=aside, tell=tell)
    broadcast = Broadcast(heard, scan, session, recording=False, pace=Pace(patient=True))
    for block in blocks:
        scan(block, heard)
    outcome = scan.finish()
    broadcast.finish(outcome)
    return heard, outcome


def test_viewers_are_told_the_same_whichever_thread_takes_the_beats(blocks: list[Block]) -> None:
    (here, whole), (beside, apart) = told(blocks, aside=False), told(blocks, aside=True)
    assert threading.get_ident() in here.threads
    assert len(beside.threads) == 2  # the last words come from the thread with the blocks
    assert [one.name for one in here.results] == [one.name for one in beside.results]
    assert {"beat", "map", "average", "status"} <= {one.name for one in here.results}
    for one, other in zip(here.results, beside.results, strict=True):
        if one.name != "status":
            assert one.fields == other.fields
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name])
    for key in ("samples", "gaps", "beats", "heart_rate", "usable", "parameters"):
        assert [one.fields[key] for one in here.results if one.name == "status"] == [
            one.fields[key] for one in beside.results if one.name == "status"
        ]
    assert [one.data.tobytes() for one in here.blocks] == [one.data.tobytes() for one in beside.blocks]
    assert len(whole.beats) >= 15
    assert [repr(beat) for beat in whole.beats] == [repr(beat) for beat in apart.beats]  # NaN where there is no RR
    assert whole.events == apart.events


def test_samples_are_told_while_a_beat_is_taken(blocks: list[Block], monkeypatch: pytest.MonkeyPatch) -> None:
    taking, heard, take = threading.Event(), Heard(), Averaging.__call__

    def slowly(averaging: Averaging, block: Block, beats: Any) -> Any:
        assert taking.wait(60)
        return take(averaging, block, beats)

    monkeypatch.setattr(Averaging, "__call__", slowly)
    scan = Scan(blocks[0], Session(source=SOURCE), aside=True, tell=lambda _: None)
    for block in blocks[:4]:
        scan(block, heard)
    assert len(heard.blocks) == 4
    taking.set()
    assert scan.finish().stop == blocks[3].stop


def test_a_failure_beside_the_stream_is_heard(blocks: list[Block]) -> None:
    def fails(scanned: Scanned) -> None:
        if scanned.cleaned.first:
            raise OSError("disk")

    scan = Scan(blocks[0], Session(source=SOURCE), aside=True, tell=fails)
    scan(blocks[0])
    scan(blocks[1])
    with pytest.raises(OSError, match="disk"):
        scan.finish()


def test_no_more_waits_than_may_wait() -> None:
    go, done = threading.Event(), list[int]()

    def work(number: int) -> None:
        assert go.wait(60)
        done.append(number)

    aside = Aside(work, most=6)
    for number in range(6):
        aside(number)
    assert done == []
    seventh = threading.Thread(target=aside, args=(6,))
    seventh.start()
    seventh.join(0.2)
    assert seventh.is_alive()
    go.set()
    seventh.join(60)
    aside.close()
    assert done == list(range(7))


def test_two_threads_publish_one_stream() -> None:
    source = simulation("sim:adult?seconds=4&rate=1000", block=2)
    blocks = list(source.blocks())
    with (
        Publisher(Description(source.sensors, source.rate)) as publisher,
        Subscription(publisher.endpoint) as listening,
    ):

        def results() -> None:
            for number in range(2000):
                publisher.result(Result("beat", {"sample": number}, {"wave": np.full(2000, float(number))}))

        beside = threading.Thread(target=results)
        beside.start()
        for block in blocks:
            publisher(block)
        beside.join(60)
        publisher.end(4000)
        messages = list[Message]()
        while not (messages and isinstance(messages[-1], End)):
            message = listening.receive(10.0)
            assert message is not None
            messages.append(message)
        assert listening.lost == 0
    numbers = [one.fields["sample"] for one in messages if isinstance(one, Result)]
    assert numbers == list(range(2000))
    assert [one.first for one in messages if isinstance(one, Block)] == [block.first for block in blocks]
