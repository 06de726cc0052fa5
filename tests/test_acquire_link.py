"""Publisher and subscription over real sockets: nothing lost, nothing waited for, nothing let in."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import zmq

from tests.acquire_streams import Counter, array, counted, is_counted, joined
from zeromag.acquire.endpoint import as_reached, beside, is_local
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, End, Result
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import LinkError, SourceLostError

N = 6
DESCRIPTION = Description(array(N), 1000.0, {"source": "counter"})


def publish(publisher: Publisher, first: int, stop: int) -> None:
    for block in Counter(stop).blocks():
        if block.first >= first:
            publisher(Block(block.data, block.first, block.rate, block.sensors, t_ns=time.monotonic_ns()))


def test_a_late_subscriber_gets_everything_from_memory() -> None:
    with Publisher(DESCRIPTION) as publisher:
        publish(publisher, 0, 5000)
        publisher.end(5000)
        source = Subscription(publisher.endpoint)
        assert source.sensors.same_as(DESCRIPTION.sensors)
        blocks = list(source.blocks())
        assert publisher.wait_for_consumers(10)
    assert blocks[-1].stop == 5000
    assert len(joined(blocks)) == 5000
    assert is_counted(blocks)
    assert (source.lost, source.refused) == (0, 0)


BEHIND = """
import time
from tests.test_acquire_link import DESCRIPTION, publish
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
publisher = Publisher(DESCRIPTION)
source = Subscription(publisher.endpoint, reconnect=True)
publish(publisher, 0, 20_000)
publisher.close()
time.sleep(1.5)  # longer than a heartbeat
print(sum(isinstance(source.receive(0.1), Block) for _ in range(500)))
"""


def test_a_publisher_that_goes_while_somebody_is_far_behind_takes_nobody_with_it() -> None:
    """With ZMQ's own heartbeat libzmq 4.3.5 aborts the subscriber's process here, a second after."""
    read = subprocess.run([sys.executable, "-c", BEHIND], capture_output=True, text=True, check=False, timeout=60)
    assert read.returncode == 0, read.stderr
    assert int(read.stdout) > 100


def test_what_memory_forgot_comes_from_the_journal(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "a.zmj") as journal,
        Publisher(DESCRIPTION, journal=journal, keep_bytes=20_000) as publisher,
    ):
        publish(publisher, 0, 20_000)
        source = Subscription(publisher.endpoint)
        publish(publisher, 20_000, 21_000)
        publisher.end(21_000)
        blocks = list(source.blocks())
    assert len(joined(blocks)) == 21_000
    assert is_counted(blocks)
    assert source.lost == 0
    assert source.repaired >= 2000


def test_what_nobody_has_any_more_is_told_as_a_gap() -> None:
    wide = Counter(40_000, n=400)  # 64 MB that nobody reads: far beyond all queues and socket buffers
    with (
        Publisher(Description(wide.sensors, 1000.0), keep_bytes=100_000) as publisher,
        Subscription(publisher.endpoint) as source,
    ):
        counting = wide.blocks()
        publisher(next(counting))
        first = source.receive(5)
        for block in counting:
            publisher(block)
        publisher.end(40_000)
        got = [block for block in [first, *source.blocks()] if isinstance(block, Block)]
    assert is_counted(got)
    missing = 40_000 - len(joined(got))
    gaps = [event for block in got for event in block.events]
    assert missing > 0
    assert sum(event.samples for event in gaps) == missing
    assert {event.kind for event in gaps} == {"gap"}
    assert source.lost * 10 == missing


def test_a_stalled_subscriber_loses_nothing_and_holds_nobody_up(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.zmj") as journal, Publisher(DESCRIPTION, journal=journal) as publisher:
        source = Subscription(publisher.endpoint)
        blocks = source.blocks()
        publish(publisher, 0, 10)
        got = [next(blocks)]
        publish(publisher, 10, 60_000)  # while nobody reads
        publisher.end(60_000)
        got.extend(blocks)
    assert len(joined(got)) == 60_000
    assert is_counted(got)
    assert source.lost == 0


def test_results_and_end_arrive_in_order() -> None:
    with Publisher(DESCRIPTION) as publisher, Subscription(publisher.endpoint) as source:
        publish(publisher, 0, 10)
        publisher.result(Result("beat", {"sample": 5}))
        publisher.end(10, "done")
        got = [source.receive(5) for _ in range(3)]
    assert isinstance(got[0], Block)
    assert got[1] == Result("beat", {"sample": 5})
    assert got[2] == End(10, "done")


def test_a_viewer_skips_to_now_after_a_stall() -> None:
    with Publisher(DESCRIPTION) as publisher, Subscription(publisher.endpoint, newest_only=True) as eye:
        publish(publisher, 0, 10)
        assert isinstance(eye.receive(5), Block)
        for block in Counter(5000).blocks():  # two seconds old when they are looked at
            publisher(Block(block.data, block.first, 1000.0, block.sensors, t_ns=time.monotonic_ns() - 2 * 10**9))
        publisher(Block(counted(5000, 5010, N), 5000, 1000.0, DESCRIPTION.sensors, t_ns=time.monotonic_ns()))
        got: list[Block] = []
        while not got or got[-1].first < 5000:
            message = eye.receive(5)
            assert message is not None
            if isinstance(message, Block):
                got.append(message)
    assert len(got) < 100
    assert eye.skipped > 300


def test_garbage_is_counted_and_refused() -> None:
    context = zmq.Context()
    rogue = context.socket(zmq.XPUB)
    rogue.bind("tcp://127.0.0.1:*")
    endpoint = rogue.getsockopt_string(zmq.LAST_ENDPOINT)

    def babble() -> None:
        rogue.recv()
        for junk in (b"ZMAG", b"ZMAG" + bytes(76), b"ZMAG" + b"\xff" * 200):
            rogue.send(junk)

    thread = threading.Thread(target=babble)
    thread.start()
    with pytest.raises(LinkError, match=r"no zeromag stream answered .* 3 frames were of no version"):
        Subscription(endpoint, timeout=1.0)
    thread.join()
    context.destroy(linger=0)


def test_garbage_requests_do_not_disturb_the_replay_server() -> None:
    with Publisher(DESCRIPTION) as publisher:
        context = zmq.Context()
        rogue = context.socket(zmq.DEALER)
        rogue.connect(publisher.description.replay)
        for junk in (b"", b"x" * 20, b"FROM" + b"\xff" * 16, b"HELO", b"a" * 500):
            rogue.send(junk)
        rogue.send_multipart([b"FROM" + bytes(16), b"more"])
        publish(publisher, 0, 1000)
        publisher.end(1000)
        blocks = list(Subscription(publisher.endpoint).blocks())
        context.destroy(linger=0)
    assert len(joined(blocks)) == 1000


def test_a_dead_publisher_is_said_in_one_sentence() -> None:
    publisher = Publisher(DESCRIPTION)
    with publisher:
        source = Subscription(publisher.endpoint, silence=0.5)
        publish(publisher, 0, 10)
        assert isinstance(source.receive(5), Block)
    with pytest.raises(SourceLostError, match=r"no sign of life .* after sample 10"):
        source.receive(10.0)
    source.close()


def test_a_publisher_that_only_waits_is_not_dead() -> None:
    with Publisher(DESCRIPTION) as publisher, Subscription(publisher.endpoint, silence=1.5) as source:
        assert source.receive(2.5) is None


def test_a_source_that_changes_is_said_in_one_sentence() -> None:
    with Publisher(DESCRIPTION) as publisher:
        publish(publisher, 0, 10)
        with pytest.raises(SourceLostError, match="changed at sample 10 from 6 channels at 1000 Hz to 7 at 1000 Hz"):
            publisher(Block(counted(10, 20, 7), 10, 1000.0, array(7)))
        with pytest.raises(SourceLostError, match="to 6 at 500 Hz"):
            publisher(Block(counted(10, 20, N), 10, 500.0, array(N)))


def test_nobody_there_is_said_in_one_sentence() -> None:
    with pytest.raises(LinkError, match=r"is `zeromag acquire` running there\?"):
        Subscription("tcp://127.0.0.1:9", timeout=0.3)
    with pytest.raises(LinkError, match="looks like tcp://HOST:PORT"):
        Subscription("tcp://nonsense")


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with Publisher(DESCRIPTION) as publisher, pytest.raises(LinkError, match="cannot be bound"):
        Publisher(DESCRIPTION, bind=publisher.endpoint)


@pytest.mark.parametrize("bind", ["tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://eth0:5555", "tcp://192.168.1.2:5555"])
def test_off_loopback_needs_keys(bind: str) -> None:
    with pytest.raises(LinkError, match="--keys"):
        Publisher(DESCRIPTION, bind=bind)


def test_endpoints() -> None:
    assert is_local("tcp://127.0.0.1:1")
    assert is_local("tcp://[::1]:1")
    assert is_local("tcp://localhost:1")
    assert not is_local("tcp://10.0.0.1:1")
    assert beside("tcp://127.0.0.1:5000") == ["tcp://127.0.0.1:5001", "tcp://127.0.0.1:*"]
    assert beside("tcp://127.0.0.1:*") == ["tcp://127.0.0.1:*"]
    assert as_reached("tcp://0.0.0.0:7", "tcp://lab:5") == "tcp://lab:7"


def test_a_restarted_publisher_is_followed_with_the_right_gap() -> None:
    first = Publisher(DESCRIPTION)
    endpoint = first.endpoint
    with first:
        source = Subscription(endpoint, reconnect=True)
        now = time.monotonic_ns()
        first(Block(counted(0, 10, N), 0, 1000.0, DESCRIPTION.sensors, t_ns=now))
        assert isinstance(source.receive(5), Block)
    with Publisher(DESCRIPTION, bind=endpoint) as second, source:
        second(Block(counted(0, 10, N), 0, 1000.0, DESCRIPTION.sensors, t_ns=now + 500_000_000))
        second(Block(counted(10, 20, N), 10, 1000.0, DESCRIPTION.sensors, t_ns=now + 510_000_000))
        got: list[Block] = []
        while len(got) < 2:
            message = source.receive(10)
            assert message is not None
            if isinstance(message, Block):
                got.append(message)
    assert [block.first for block in got] == [500, 510]
    assert [(e.kind, e.sample, e.samples) for e in got[0].events] == [("gap", 10, 490)]


def test_a_stream_that_becomes_another_is_followed_without_a_gap() -> None:
    with Publisher(DESCRIPTION) as publisher, Subscription(publisher.endpoint) as source:
        publish(publisher, 0, 100)
        got = [source.receive(5) for _ in range(10)]
        publisher.renew(array(4), 500.0, None)
        for block in Counter(200, n=4).blocks():
            if block.first >= 100:
                publisher(Block(block.data, block.first, 500.0, block.sensors, t_ns=time.monotonic_ns()))
        publisher.end(200)
        got += list(source.blocks())
    blocks = [block for block in got if isinstance(block, Block)]
    assert [block.first for block in blocks] == list(range(0, 200, 10))
    assert [block.rate for block in blocks] == [1000.0] * 10 + [500.0] * 10
    assert {len(block.sensors) for block in blocks[10:]} == {4}
    assert [event for block in blocks for event in block.events] == []
    assert is_counted(blocks)
