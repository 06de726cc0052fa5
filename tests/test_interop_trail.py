"""Each export leaves one line: when, who, what, the checksum; never a path."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from zeromag.cli import main


def test_each_export_is_one_line_that_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    outs = [tmp_path / f"Smith-{number}.csv" for number in range(2)]
    for out in outs:
        assert main(["export", "sim:adult?seconds=0.2&rate=250&rows=2", "--to", "csv", "--out", str(out)]) == 0
    log = tmp_path / "state" / "zeromag" / "audit.log"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(line["action"], line["to"]) for line in lines] == [("export", "csv")] * 2
    assert [line["sha256"] for line in lines] == [hashlib.sha256(out.read_bytes()).hexdigest() for out in outs]
    assert "Smith" not in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_an_export_that_cannot_be_noted_is_done_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    out = tmp_path / "a.csv"
    assert main(["export", "sim:adult?seconds=0.2&rate=250&rows=2", "--to", "csv", "--out", str(out)]) == 0
    assert out.stat().st_size > 0
    assert "was not noted" in capsys.readouterr().err
