"""A power cut: what was acknowledged more than a second before is on the disk.

An ext4 image is copied while the journal is being written to it; the copy is what a disk would hold if the
power had gone at that instant (ext4 replays its own journal when it is mounted).
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acquire_streams import is_counted
from tests.test_acquire_journal import blocks_of
from zeromag.acquire.recording import recover
from zeromag.acquire.replay import replay
from zeromag.block import Block

ROOT = Path(__file__).resolve().parent.parent

# Writes blocks of 64 channels in real time and says when each was acknowledged.
WRITER = """
import os, struct, sys, time
from pathlib import Path
from tests.acquire_streams import Counter
from zeromag.acquire.journal import Journal
from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.pace import paced
from zeromag.acquire.wire import encode_block, encode_description
source = Counter(10**6, n=64)
with Journal(Path(sys.argv[1])) as journal:
    journal(encode_description(Description(source.sensors, 1000.0), Stamp(1, 2, 0)))
    for sequence, block in enumerate(paced(source.blocks())):
        journal(encode_block(block, Stamp(1, 2, sequence)))
        os.write(1, struct.pack("<qq", block.stop, time.monotonic_ns()))
"""


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a power cut needs root and loop devices")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def cut_off(image: Path, copy: Path, folder: Path, seconds: float) -> int:
    """Write to the image, copy it at an instant; return what had been acknowledged one second before that."""
    with mounted(image, folder):
        command = [sys.executable, "-c", WRITER, str(folder / "a.zmj")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
            assert writer.stdout is not None
            said = bytearray()
            first = threading.Event()

            def listen() -> None:
                assert writer.stdout is not None
                while more := writer.stdout.read1(4096):
                    said.extend(more)
                    first.set()

            ear = threading.Thread(target=listen)
            ear.start()
            assert first.wait(30)
            time.sleep(seconds)  # the instant of the cut is what is being varied
            instant = time.monotonic_ns()
            shutil.copyfile(image, copy)
            writer.kill()
            ear.join()
    acknowledged = struct.iter_unpack("<qq", bytes(said[: len(said) // 16 * 16]))
    return max((stop for stop, at in acknowledged if at < instant - 1_000_000_000), default=0)


def unbroken(blocks: list[Block]) -> int:
    """Return up to which sample nothing is missing."""
    stop = 0
    for block in blocks:
        if block.first > stop:
            break
        stop = block.stop
    return stop


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="loop devices are Linux's")
def test_a_power_cut_costs_one_second_at_most(tmp_path: Path) -> None:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("a power cut needs mkfs.ext4: apt-get install e2fsprogs")
    chance = random.Random(30)
    lost = []
    for k in range(30):
        image, copy = tmp_path / f"{k}.img", tmp_path / f"{k}-copy.img"  # a loop device may outlive its mount
        with image.open("wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
        safe = cut_off(image, copy, tmp_path / "disk", chance.uniform(1.5, 5.0))
        with mounted(copy, tmp_path / "copy"):
            got = blocks_of(tmp_path / "copy" / "a.zmj")
            assert is_counted(got)
            lost.append(safe - unbroken(got))  # what was not on the disk yet may have holes
            recovered = recover(tmp_path / "copy" / "a.zmj", tmp_path / f"{k}.zm.h5")
            assert is_counted(list(replay(recovered.path).blocks()))
        for used in (image, copy, recovered.path):
            used.unlink()
    assert max(lost) <= 0, lost  # samples that had been acknowledged a second before the cut
