"""Work beside the stream: one piece at a time, none begun while the stream is behind, and all of it once it is not."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from dataclasses import replace

import pytest

import zeromag.live.leisure as leisure_module
from zeromag.acquire.message import Result
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.live.broadcast import Broadcast
from zeromag.live.leisure import AT_LAST_NS, BEHIND_NS, GIVE_WAY_NS, GIVE_WAY_SECONDS, Leisure
from zeromag.scan.scan import Scan
from zeromag.session import Session

START, SECOND = 10**12, 10**9  # ns


def done() -> int:
    return 1


def test_nothing_begins_while_the_stream_is_behind() -> None:
    leisure = Leisure()
    for now, late, begins in ((0, 0, True), (1, BEHIND_NS + 1, False), (2, 30 * SECOND, False), (3, BEHIND_NS, True)):
        at = START + now * SECOND
        leisure.see(at - late, at)
        begun = leisure.begin(done)
        assert (begun is not None) == begins == leisure.left
        if begun is not None:
            assert begun.result(10) == 1
    leisure.close()


def test_a_machine_that_never_catches_up_is_told_something_all_the_same() -> None:
    leisure, begun = Leisure(), list[int]()
    for second in range(35):
        now = START + second * SECOND
        leisure.see(now - SECOND, now)
        piece: Future[int] | None = leisure.begin(done)
        if piece is not None:
            piece.result(10)
            begun.append(second)
    patience = AT_LAST_NS // SECOND + 1
    assert begun == [patience, 2 * patience, 3 * patience]
    leisure.close()


def test_of_another_machine_only_what_changes_counts_and_an_unstamped_stream_is_on_time() -> None:
    leisure = Leisure(same_clock=False)
    for late, left in ((-500 * SECOND, True), (-499 * SECOND, False), (-500 * SECOND + BEHIND_NS // 2, True)):
        leisure.see(START - late, START)
        assert leisure.left == left
    leisure.see(0, START)
    assert leisure.left
    leisure.close()


def test_pieces_come_one_after_another_but_for_those_that_may_run_beside() -> None:
    leisure, go = Leisure(), threading.Event()
    first = leisure.begin(lambda: go.wait(10))
    assert first is not None
    assert leisure.begin(done) is None
    beside = leisure.begin(done, beside=True)
    assert beside is not None
    assert beside.result(10) == 1
    assert leisure.begin(done) is None  # the first is still under way
    go.set()
    leisure.wait()
    assert leisure.begin(done) is not None
    leisure.close()


def test_work_under_way_stays_while_the_stream_is_late_and_not_for_ever() -> None:
    leisure, steps = Leisure(), list[float]()
    leisure.see(START, START)

    def work() -> None:
        for _ in range(3):
            leisure.give_way()
            steps.append(time.monotonic())

    leisure.see(START - GIVE_WAY_NS - 1, START)
    begun, piece = time.monotonic(), leisure.begin(work)
    assert piece is not None
    piece.result(30)
    assert [round(step - begun, 6) >= (k + 1) * GIVE_WAY_SECONDS for k, step in enumerate(steps)] == [True] * 3
    leisure.close()


def test_work_goes_on_once_the_stream_is_on_time_or_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        leisure_module, "GIVE_WAY_SECONDS", 600.0
    )  # who is not let go stays far beyond the limits below
    for let_go in (lambda one: one.see(START, START), lambda one: one.close()):
        leisure, staying = Leisure(), threading.Event()

        def work(one: Leisure = leisure, there: threading.Event = staying) -> int:
            there.set()
            one.give_way()
            return 1

        leisure.see(START - GIVE_WAY_NS - 1, START)
        piece = leisure.begin(work)
        assert piece is not None
        assert staying.wait(10)
        assert wait([piece], timeout=0.2).not_done
        releasing = threading.Thread(target=let_go, args=(leisure,), daemon=True)  # closing waits for the piece
        releasing.start()
        assert piece.result(30) == 1
        releasing.join(30)
        leisure.close()


class Told:
    """Keeps the names of what a publisher would send."""

    def __init__(self) -> None:
        self.blocks, self.names = 0, list[str]()

    def __call__(self, block: Block) -> None:
        self.blocks += len(block)

    def result(self, result: Result) -> None:
        self.names.append(result.name)

    def end(self, samples: int, reason: str = "") -> None:
        del samples, reason


def test_a_stream_that_is_behind_tells_its_samples_and_state_and_looks_again_once_it_has_caught_up() -> None:
    blocks = list(simulation("sim:adult?seconds=9&rate=250&rows=3&columns=3&heart_rate=90", block=50).blocks())
    scan, told = Scan(blocks[0], Session()), Told()
    broadcast = Broadcast(told, scan, Session(), recording=False, upstream="tcp://127.0.0.1:5555")

    def carry(some: list[Block], late: int) -> None:
        for block in some:
            broadcast(scan(replace(block, t_ns=time.monotonic_ns() - late), told))
            broadcast.leisure.wait()

    carry(blocks[:33], 5 * SECOND)  # seconds with beats
    assert told.blocks == 33 * 50
    assert set(told.names) == {"status", "beat"}
    assert broadcast.usable["reasons"] == ["no heartbeat so far"]
    carry(blocks[33:], 0)  # the map is made first, and two seconds later the gate looks
    assert {"map", "grid", "average"} <= set(told.names)
    assert broadcast.usable["reasons"] != ["no heartbeat so far"]
    broadcast.leisure.close()
