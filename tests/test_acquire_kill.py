"""kill -9 of the real commands at random instants: whoever dies, what was recorded is whole and nothing is made up."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import counted, is_counted, joined
from zeromag.acquire.frame import BLOCK
from zeromag.acquire.journal_file import read_journal
from zeromag.acquire.recording import recover, verify
from zeromag.acquire.replay import replay
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import SourceLostError

ROOT = Path(__file__).resolve().parent.parent
N, BLOCK_SAMPLES = 64, 10

# Runs each command line that it is told in a fork of its own, so that no start is waited for; `acquire` counts.
SERVER = """
import os, shlex, sys
import zeromag.acquire.acquirer as acquirer
import zeromag.live.process
from tests.acquire_streams import Counter
from zeromag.cli import main
if "window" in sys.argv:
    import zeromag.viz.show
acquirer.open_source = lambda spec, block, patient: Counter(10**9, block, n=64)
for line in sys.stdin:
    child = os.fork()
    if not child:
        log = os.open(os.devnull, os.O_RDWR)
        os.dup2(log, 0)
        code = main(shlex.split(line))
        os._exit(code)
    print("pid", child, flush=True)
    if sys.stdin.readline() == "wait\\n":
        os.waitpid(child, 0)
        print("gone", flush=True)
"""


class Commands:
    """Starts commands of zeromag one after the other, and kills them."""

    def __init__(self, *preload: str) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER, *preload], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.pid = 0

    def start(self, *words: object, told: str) -> str:
        """Start a command; return what it says on standard error behind `told`."""
        self._say(" ".join(map(str, words)))
        self.pid = int(self._heard(self.server.stdout, "pid "))
        return self._heard(self.server.stderr, f"zeromag: {told} ") if told else ""

    def end(self, number: int) -> None:
        """Send the running command a signal and wait until it is gone."""
        os.kill(self.pid, number)
        self._say("wait")
        self._heard(self.server.stdout, "gone")

    def _say(self, line: str) -> None:
        assert self.server.stdin is not None
        self.server.stdin.write(line + "\n")
        self.server.stdin.flush()

    def _heard(self, pipe: IO[str] | None, word: str) -> str:
        for line in pipe or ():
            if line.startswith(word):
                return str(line.removeprefix(word).strip())
        raise AssertionError(f"the command ended without saying '{word}'")


@contextlib.contextmanager
def commands(*preload: str) -> Iterator[Commands]:
    run = Commands(*preload)
    try:
        yield run
    finally:
        if run.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGKILL)
        run.server.kill()
        run.server.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="commands are forked")
@pytest.mark.parametrize("times", [3, pytest.param(200, marks=[pytest.mark.nightly, pytest.mark.timeout(7200)])])
def test_a_killed_acquisition_loses_nothing_that_anybody_saw_and_makes_nothing_up(tmp_path: Path, times: int) -> None:
    chance = random.Random(times)
    with commands() as run:
        for number in range(times):
            folder = tmp_path / str(number)
            with Subscription(run.start("acquire", "counter", "--record", folder, told="endpoint")) as stream:
                got, wanted = [], chance.randrange(0, 400)
                while not got or got[-1].stop < wanted:
                    message = stream.receive(1.0)
                    got += [message] if isinstance(message, Block) else []
                run.end(signal.SIGKILL)
                with contextlib.suppress(SourceLostError):
                    while isinstance(message := stream.receive(0.05), Block):
                        got.append(message)
            heads = [header for header, _ in read_journal(folder / "raw.zmj") if header.kind == BLOCK]
            assert [head.first for head in heads] == list(range(0, BLOCK_SAMPLES * len(heads), BLOCK_SAMPLES))
            stop = heads[-1].first + heads[-1].samples
            assert is_counted(got)
            assert got[-1].stop <= stop  # who has seen a block finds it kept
            assert recover(folder / "raw.zmj", folder / "raw.zm.h5").status == "recovered"
            kept = list(replay(folder / "raw.zm.h5", block=1000).blocks())
            assert is_counted(kept)
            assert kept[-1].stop == stop
            for path in folder.iterdir():
                path.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="commands are forked")
@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("command", "preload", "told"), [("process", (), "endpoint"), ("view", ("window",), "")], ids=["process", "view"]
)
def test_killed_readers_leave_the_recording_whole(
    tmp_path: Path, command: str, preload: tuple[str, ...], told: str
) -> None:
    times, chance = 100, random.Random(5)
    with commands() as device, commands(*preload) as readers:
        endpoint = device.start("acquire", "counter", "--record", tmp_path / "out", told="endpoint")
        with Subscription(endpoint, newest_only=True) as clock:
            for _ in range(times):
                readers.start(command, "--from", endpoint, told=told)
                _let_pass(clock, chance.randrange(50, 1000))
                readers.end(signal.SIGKILL)
            now = _let_pass(clock, 10)
        with Subscription(endpoint) as again:
            blocks = again.blocks()
            got = [next(blocks)]
            while got[-1].stop < now:  # a device that ends waits for no one who is minutes behind
                got.append(next(blocks))
            os.kill(device.pid, signal.SIGTERM)
            got += blocks
            assert again.lost == 0
        device.end(0)
    assert is_counted(got)
    assert got[0].first == 0
    assert verify(tmp_path / "out" / "raw.zm.h5") == []
    kept = joined(list(replay(tmp_path / "out" / "raw.zm.h5", block=1000).blocks()))
    assert_array_equal(kept, counted(0, got[-1].stop, N))


def _let_pass(stream: Subscription, samples: int) -> int:
    """Wait for so many samples of a stream; return where it is then."""
    begin = None
    while True:
        message = stream.receive(1.0)
        if isinstance(message, Block):
            begin = message.stop if begin is None else begin
            if message.stop - begin >= samples:
                return message.stop
