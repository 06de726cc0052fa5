"""A long run: memory and descriptors stay as they are, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.acquire_streams import RATE, array, counted
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.block import Block

ROOT = Path(__file__).resolve().parent.parent
N = 36

READ = """
import sys, psutil
from zeromag.acquire.subscription import Subscription
source, me, stop, least = Subscription(sys.argv[1]), psutil.Process(), 0, 0
for number, block in enumerate(source.blocks()):
    assert block.first == stop and not block.events
    stop = block.stop
    if number == 20000:
        least = me.memory_info().rss
print(stop, source.lost, (me.memory_info().rss - least) >> 20)
"""


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param(100_000, marks=pytest.mark.nightly),
        pytest.param(8_640_000, marks=[pytest.mark.nightly, pytest.mark.timeout(7200)]),  # a day of 10 ms blocks
    ],
)
def test_a_long_run_keeps_its_size(tmp_path: Path, blocks: int) -> None:
    sensors, process = array(N), psutil.Process()
    data = counted(0, 10, N)
    with (
        Journal(tmp_path / "a.zmj") as journal,
        Publisher(Description(sensors, RATE), journal=journal, keep_bytes=4 << 20) as publisher,
        subprocess.Popen([sys.executable, "-c", READ, publisher.endpoint], stdout=subprocess.PIPE, cwd=ROOT) as reader,
    ):
        sizes, handles = [], 0
        for number in range(blocks):
            publisher(Block(data, number * 10, RATE, sensors))
            if number % (blocks // 100) == 0:
                sizes.append(process.memory_info().rss)
            if number == blocks // 4:
                handles = process.num_fds()
        assert process.num_fds() <= handles + 1
        publisher.end(blocks * 10)
        assert publisher.wait_for_consumers(600)
        out = reader.communicate(timeout=60)[0].split()
    assert [int(word) for word in out[:2]] == [blocks * 10, 0]
    assert int(out[2]) < 40  # MB that the reader grew by
    hours = blocks * 0.01 / 3600
    growth = (np.mean(sizes[-10:]) - np.mean(sizes[30:40])) / 2**20
    assert growth < 4 + 1.0 * hours  # MB: at most 1 an hour of stream, beside what the allocator keeps
