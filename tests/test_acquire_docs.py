"""The documents about formats are true: the reader printed in docs/wire.md reads a real stream."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
from numpy.testing import assert_array_equal

from tests.acquire_streams import RATE, Counter, counted
from zeromag.acquire.message import Description
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.recording import write_recording

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_reader_in_the_document_reads_a_stream(tmp_path: Path) -> None:
    found = re.search(r"```python\n(import struct.*?)```", (DOCS / "wire.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    program = found.group(1)
    assert len(program.strip().splitlines()) <= 40
    assert set(re.findall(r"^import (.+)$", program, re.MULTILINE)) == {"struct, sys, zlib", "zmq"}
    (tmp_path / "reader.py").write_text(program, encoding="utf-8")
    source = Counter(400)
    with Publisher(Description(source.sensors, RATE)) as publisher:
        reader = subprocess.Popen(
            [sys.executable, str(tmp_path / "reader.py"), publisher.endpoint],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        give_up = time.monotonic() + 20
        while not publisher.greeted:
            assert time.monotonic() < give_up, reader.poll()
            time.sleep(0.01)
        for block in source.blocks():
            publisher(block)
        publisher.end(400)
        out, err = reader.communicate(timeout=20)
    assert err == ""
    rows = np.array([[float(value) for value in line.split()] for line in out.splitlines()])
    assert_array_equal(rows[:, 0], np.arange(400))
    assert_array_equal(rows[:, 1:], counted(0, 400, 6))


def test_the_layout_in_the_document_is_the_layout_of_the_file(tmp_path: Path) -> None:
    text = (DOCS / "recording.md").read_text(encoding="utf-8")
    write_recording(tmp_path / "a.zm.h5", Counter(100))
    with h5py.File(tmp_path / "a.zm.h5") as file:
        names: list[str] = []
        file.visititems(lambda name, thing: names.append(f"/{name}") if isinstance(thing, h5py.Dataset) else None)
        for name in names:
            assert f"`{name}`" in text
        for table in ("raw/block_index", "channels", "events"):
            for column in file[table].dtype.names:
                assert f"`{column}`" in text
        for attribute in file.attrs:
            assert f"`{attribute}`" in text
