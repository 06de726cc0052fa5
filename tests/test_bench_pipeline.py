"""`zeromag bench pipeline`: real processes measured, the flame's shares, the page to paste."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from pathlib import Path

import pytest

from zeromag.cli import main
from zeromag.live.flame import Flame, watched
from zeromag.live.pipeline_run import PipelineRun
from zeromag.viz.display import missing_libraries


def test_the_page_has_what_real_processes_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "machine.json"
    assert main(["bench", "pipeline", "--channels", "16", "--seconds", "2", "--no-limit", "--out", str(out)]) == 0
    page = capsys.readouterr().out
    seen = json.loads(out.read_text())["latency"]
    assert (seen["channels"], seen["rate_hz"], seen["block"], seen["lost"]) == (16, 1000.0, 10, 0)
    places = ("published", "filtered", "mapped", *(() if missing_libraries() else ("drawn",)))
    for place in places:
        late = seen["latency_s"][place]
        assert 0 < late["p50"] <= late["p99"] <= late["p99.9"] <= late["max"]
        assert f"{1e3 * late['p50']:9.2f}" in page
    if not missing_libraries():
        assert seen["pictures_per_second"] > 0
        assert "pictures a second" in page
    assert seen["latency_s"]["published"]["p50"] < seen["latency_s"]["filtered"]["p50"]
    if sys.platform == "linux":
        assert seen["core_share"]["process"] > 0
        stacks = [line.rpartition(" ")[0] for line in out.with_suffix(".folded").read_text().splitlines()]
        assert any(stack.startswith("scan.__call__;") for stack in stacks)
        assert "%  scan.__call__" in page


def test_what_came_late_is_counted_and_loss_is_not_held() -> None:
    run = PipelineRun(2, 100.0, 1, 1.0, {"published": [], "filtered": [0.005] * 90 + [0.02] * 5, "mapped": []})
    assert run.misses == 5
    assert run.held
    run.lost = 1
    assert not run.held
    behind = PipelineRun(2, 100.0, 1, 1.0, {"published": [], "filtered": [0.005] * 80 + [0.5] * 20, "mapped": []})
    assert not behind.held
    assert not PipelineRun(2, 100.0, 1, 1.0, {"published": [], "filtered": [0.001] * 50, "mapped": []}).held


def test_the_flame_shows_shares_of_every_branch() -> None:
    flame = Flame()
    flame.seen.update({("a", "b"): 60, ("a", "c"): 25, ("a",): 14, ("d",): 1})
    assert flame.lines() == [" 99.0%  a", " 60.0%    b", " 25.0%    c"]
    assert "a;b 60\n" in flame.folded()
    assert Flame().lines() == []


@pytest.mark.skipif(sys.platform == "win32", reason="no CPU timer")
def test_the_watch_looks_at_cpu_time_and_goes() -> None:
    flame = Flame()
    beside = threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"a", b"b", 200_000))  # needs no interpreter
    with watched(flame):
        beside.start()
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            sum(range(1000))
        beside.join()
    seen = sum(flame.seen.values())
    assert 0.18e6 < seen < 0.25e6  # us of this thread's own, however much another used meanwhile
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    assert sum(flame.seen.values()) == seen
