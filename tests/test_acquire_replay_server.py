"""Who the replay server counts as a consumer: whoever said hello lately, until it says goodbye."""

from __future__ import annotations

import pytest

from zeromag.acquire import replay_server
from zeromag.acquire.replay_server import BYE, FROM, HELLO, REQUEST, ReplayServer, Shelf


def test_a_consumer_too_busy_to_say_hello_is_waited_for_and_one_that_is_gone_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(replay_server.time, "monotonic", lambda: now[0])
    server = ReplayServer(Shelf(1000), None, epoch=7)
    hello = REQUEST.pack(HELLO, 7, 0)
    server.answer(b"busy", hello, 0)
    server.answer(b"gone", hello, 0)
    now[0] += 9.0  # at a load of 17 a hello was seen to take 4 s
    assert server.consumers() == 2
    server.answer(b"busy", REQUEST.pack(FROM, 7, 0), 0)  # asking is as good as hello
    now[0] += 9.0
    assert server.consumers() == 1
    server.answer(b"busy", REQUEST.pack(BYE, 7, 0), 0)
    assert server.consumers() == 0
