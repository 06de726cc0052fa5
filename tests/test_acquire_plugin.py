"""The source printed in docs/write-a-source.md is installed from a folder and acquired from."""

from __future__ import annotations

import re
import socket
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import joined
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.replay import replay
from zeromag.acquire.source import Source, open_source
from zeromag.errors import InputError

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "write-a-source.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the document's package where pip would: its module and its metadata on the path."""
    text = DOCUMENT.read_text(encoding="utf-8")
    toml, program = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("toml", "python"))
    assert toml is not None
    assert program is not None
    site = tmp_path / "site"
    site.mkdir()
    (site / "zeromag_lines.py").write_text(program.group(1), encoding="utf-8")
    info = site / "zeromag_lines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zeromag-lines\nVersion: 1.0\n")
    points = re.search(r'\[project\.entry-points\."(.+)"\]\n(\w+) = "(.+)"', toml.group(1))
    assert points is not None
    (info / "entry_points.txt").write_text(f"[{points.group(1)}]\n{points.group(2)} = {points.group(3)}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "zeromag_lines", raising=False)


@pytest.fixture
def device() -> str:
    """Something that sends 500 lines to the first that connects."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.sendall("".join(f"{t} {-t}\n" for t in range(500)).encode())

    threading.Thread(target=serve, daemon=True).start()
    return f"lines:127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.usefixtures("installed")
def test_a_plugged_in_source_is_recorded_until_it_vanishes(device: str, tmp_path: Path) -> None:
    stop, said = threading.Event(), []

    def announce(news: dict[str, str]) -> None:
        if "say" in news:
            said.append(news["say"])
            stop.set()

    acquire(device, record=tmp_path / "out", stop=stop, announce=announce, session={})
    (sentence,) = said
    assert "lost after sample 500" in sentence
    assert "closed the connection after sample 500" in sentence
    assert "waiting for it to come back" in sentence
    got = joined(list(replay(tmp_path / "out" / "raw.zm.h5").blocks()))
    assert_array_equal(got, np.stack([np.arange(500), -np.arange(500)], axis=1) * 1e-14)


@pytest.mark.usefixtures("installed")
def test_a_plugged_in_source_is_named_among_the_known() -> None:
    assert isinstance(open_source("lines:127.0.0.1:1"), Source)
    with pytest.raises(InputError, match="begins with one of lines, loop, lsl, sim, tcp"):
        open_source("line:127.0.0.1:1")
