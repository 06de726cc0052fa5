"""The processing process on a stream that breaks: results of what had come, and the loss still told at the end."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zeromag.acquire.message import Description, Result
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.simulate import simulation
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.live.broadcast import Broadcast
from zeromag.live.process import process
from zeromag.scan.scan import Scan
from zeromag.session import Session


def test_a_stream_that_cannot_go_on_leaves_the_results_of_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = Scan.__call__, []

    def until_five_seconds(scan: Scan, block: Any, *more: Any) -> object:
        if scan.seconds >= 5.0:
            raise InputError("the source changed its channels")
        return whole(scan, block, *more)

    monkeypatch.setattr(Scan, "__call__", until_five_seconds)
    source = simulation("sim:adult?seconds=8&heart_rate=90", block=100)
    with Publisher(Description(source.sensors, source.rate)) as publisher:
        for block in source.blocks():
            publisher(block)
        publisher.end(8000)
        with pytest.raises(InputError, match="changed its channels"):
            process(publisher.endpoint, session=Session(), out=tmp_path, stop=threading.Event(), announce=said.append)
    assert any("the results are in" in str(news.get("say")) for news in said)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["duration_s"] == 5.0
    assert summary["beats"]["normal"] >= 5


def test_what_a_busy_machine_keeps_back_at_the_end_is_taken_too(tmp_path: Path) -> None:
    source, stop = simulation("sim:adult?seconds=3&heart_rate=90", block=1000), threading.Event()
    stop.set()
    with Publisher(Description(source.sensors, source.rate)) as publisher:

        def speak() -> None:
            for block in source.blocks():
                time.sleep(0.3)
                publisher(block)
            publisher.end(3000)

        speaking = threading.Thread(target=speak)
        speaking.start()
        process(publisher.endpoint, session=Session(), out=tmp_path, stop=stop, announce=[].append, drain=20.0)
        speaking.join()
    assert json.loads((tmp_path / "summary.json").read_text())["duration_s"] == 3.0


def test_what_was_lost_is_told_at_the_end_too() -> None:
    source = simulation("sim:adult?seconds=3", block=100)
    told: list[Result] = []

    class Listener:
        """Takes what a publisher would send."""

        def __call__(self, block: object) -> None:
            del block

        def result(self, result: Result) -> None:
            told.append(result)

        def end(self, samples: int, reason: str) -> None:
            del samples, reason

    blocks = list(source.blocks())
    scan = Scan(blocks[0], Session())
    broadcast = Broadcast(Listener(), scan, Session(), recording=False)
    for block in blocks:
        broadcast(scan(block), lost=7)
    broadcast.finish(scan.finish())
    assert [one.fields["lost"] for one in told if one.name == "status"][-1] == 7


@pytest.mark.nightly
def test_a_source_that_becomes_another_one_gets_results_of_its_own(tmp_path: Path) -> None:
    said: list[Any] = []
    ready = threading.Event()

    def announce(news: Any) -> None:
        said.append(news)
        if "endpoint" in news:
            ready.set()

    small, large = (simulation(f"sim:adult?seconds=5&rate=250&heart_rate=100&rows={n}", block=50) for n in (4, 6))
    with Publisher(Description(small.sensors, small.rate)) as publisher:
        work = threading.Thread(
            target=process, args=(publisher.endpoint,), daemon=True,
            kwargs={"session": Session(), "out": tmp_path, "stop": threading.Event(), "announce": announce},
        )  # fmt: skip
        work.start()
        for block in small.blocks():
            publisher(block)
        assert ready.wait(30)
        with Subscription(said[0]["endpoint"]) as cleaned:
            until = time.monotonic() + 60
            message = None
            while not (isinstance(message, Block) and message.stop == 1250):
                assert time.monotonic() < until
                message = cleaned.receive(1.0)
            publisher.renew(large.sensors, large.rate, None)
            for block in large.blocks():
                publisher(replace(block, first=block.first + 1250))
            publisher.end(2500)
            later = [block for block in cleaned.blocks() if len(block.sensors) == len(large.sensors)]
        work.join(60)
    assert sum(len(block) for block in later) == 1250  # viewers follow too
    first, second = (json.loads((out / "summary.json").read_text()) for out in (tmp_path, tmp_path / "part-2"))
    assert len(second["channels"]) > len(first["channels"]) > 0
    assert {first["duration_s"], second["duration_s"]} == {5.0}
    assert sum("what follows is a scan of its own" in str(news.get("say")) for news in said) == 1
