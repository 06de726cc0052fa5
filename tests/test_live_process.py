"""The processing process on a stream that breaks: results of what had come, and the loss still told at the end."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from zeromag.acquire.message import Description, Result
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.live.broadcast import Broadcast
from zeromag.live.process import process
from zeromag.scan.scan import Scan
from zeromag.session import Session


def test_a_stream_that_cannot_go_on_leaves_the_results_of_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = Scan.__call__, []

    def until_five_seconds(scan: Scan, block: object) -> object:
        if scan.seconds >= 5.0:
            raise InputError("the source changed its channels")
        return whole(scan, block)

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
