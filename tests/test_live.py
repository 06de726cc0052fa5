"""The three processes together: real sockets, real signals, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import mne
import numpy as np
import psutil
import pytest

from zeromag.acquire.journal_file import JournalFile
from zeromag.acquire.verify import verify
from zeromag.errors import InputError
from zeromag.viz.display import missing_libraries

FILES = ("summary.json", "events.tsv", "average-ave.fif", "maps.h5", "dipole.csv", "map_R.png", "map_T.png")
FOR_PEOPLE = ("butterfly.png", "quality.png", "report.html", "report.pdf")
SOURCE = "sim:adult?heart_rate=75&seed=4"


class Run:
    """One `zeromag live`, with what it said and the processes it started."""

    def __init__(
        self,
        out: Path,
        *flags: str,
        source: str = SOURCE,
        view: tuple[str, ...] = ("--headless",),
        program: tuple[str, str] = ("-m", "zeromag"),
    ) -> None:
        self.out = out
        command = [sys.executable, *program, "live", source, *view, "--out", str(out), *flags]
        screen = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=screen)
        self.me = psutil.Process(self.process.pid)
        self.said = ""

    def children(self) -> dict[str, psutil.Process]:
        found = {}
        for child in self.me.children():
            with suppress(psutil.Error, IndexError):  # one that just ended has no command line
                found[child.cmdline()[3]] = child
        return found

    def wait_for(self, happened: Callable[[], bool], seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"ended early: {self.process.communicate()[1]}"
            assert time.monotonic() < until, "nothing happened"
            time.sleep(0.05)

    def recording(self) -> bool:
        """Whether two seconds are in the journal; its size tells nothing, since room is reserved ahead."""
        return any(whole_frames(path) > 200 for path in self.out.rglob("*.zmj"))

    def end(self, seconds: float = 90.0) -> int:
        self.said = self.process.communicate(timeout=seconds)[1]
        assert "Traceback" not in self.said
        return self.process.returncode


def whole_frames(path: Path) -> int:
    try:
        return sum(1 for _ in JournalFile(path).frames())
    except InputError:  # nothing is in it yet
        return 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*flags: str, **more: Any) -> Run:
        runs.append(Run(tmp_path / f"run{len(runs)}", *flags, **more))
        return runs[-1]

    yield begin
    for run in runs:
        for child in [*run.me.children(recursive=True), run.me] if run.me.is_running() else []:
            child.kill()
        run.process.communicate()


def vanished(processes: list[psutil.Process], seconds: float = 10.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def test_a_run_leaves_every_file_and_the_recording_maps_to_the_same_numbers(
    start: Callable[..., Run], tmp_path: Path
) -> None:
    run = start("--seconds", "12")
    run.wait_for(lambda: len(run.children()) == 2)
    children = list(run.children().values())
    assert run.end() == 0, run.said
    assert vanished(children)
    for name in (*FILES, *FOR_PEOPLE):
        assert (run.out / name).stat().st_size > 0, name
    live = json.loads((run.out / "summary.json").read_text())
    assert live["duration_s"] == 12.0
    assert live["gaps"] == []
    assert live["heart_rate"]["low"] <= 75 * 1.05
    assert live["heart_rate"]["high"] >= 75 * 0.95

    (recording,) = run.out.rglob("*.zm.h5")
    again = tmp_path / "again"
    command = [sys.executable, "-m", "zeromag", "map", str(recording), "--out", str(again)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    offline = json.loads((again / "summary.json").read_text())
    for summary in (live, offline):
        summary.pop("source")
        summary["session"].pop("source")
    assert live == offline
    assert (run.out / "events.tsv").read_text() == (again / "events.tsv").read_text()
    assert (run.out / "dipole.csv").read_text() == (again / "dipole.csv").read_text()
    with h5py.File(run.out / "maps.h5") as ours, h5py.File(again / "maps.h5") as theirs:
        for name in ("x", "y", "mask", "time", "bz", "bz_sd", "jx", "jy"):
            np.testing.assert_array_equal(ours[name][...], theirs[name][...])
    ours, theirs = (mne.read_evokeds(folder / "average-ave.fif", verbose="error") for folder in (run.out, again))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_ends_all_and_keeps_what_was_recorded(start: Callable[..., Run], number: int) -> None:
    run = start()
    run.wait_for(run.recording)
    children = list(run.children().values())
    os.killpg(run.process.pid, number)  # as a terminal's Ctrl-C does, and a system that shuts down: everybody gets it
    assert run.end() == 130
    assert vanished(children)
    assert json.loads((run.out / "summary.json").read_text())["duration_s"] > 0.5
    assert list(run.out.rglob("*.zm.h5"))


IMPATIENT = "import sys, zeromag.live.supervisor as s; s.WORD_AFTER = 1.0; import zeromag.cli as c; sys.exit(c.main())"


@pytest.mark.nightly
def test_a_second_ctrl_c_cuts_short_what_takes_too_long_and_keeps_the_recording(start: Callable[..., Run]) -> None:
    run = start(program=("-c", IMPATIENT))
    run.wait_for(run.recording)
    children = run.children()
    children["process"].suspend()  # it does not come to its end
    run.me.send_signal(signal.SIGINT)
    assert run.process.stderr is not None
    line = next(line for line in run.process.stderr if "so far" in line)
    assert "working out the results" in line
    assert "press Ctrl-C again to stop now, the recording is kept" in line
    run.me.send_signal(signal.SIGINT)
    assert run.end() == 130
    assert "stopping; `zeromag map` makes the results of the recording" in run.said
    assert "killed by signal" not in run.said
    assert vanished(list(children.values()))
    assert verify(run.out / "raw.zm.h5") == []


@pytest.mark.parametrize("victim", ["acquire", "process"])
def test_a_killed_process_is_said_and_nothing_recorded_is_lost(start: Callable[..., Run], victim: str) -> None:
    run = start()
    run.wait_for(run.recording)
    children = list(run.children().values())
    killed = time.monotonic()
    run.children()[victim].kill()
    line = run.process.stderr.readline() if run.process.stderr else ""
    while "killed" not in line:
        assert line, "ended without a word"
        line = run.process.stderr.readline() if run.process.stderr else ""
    noticed = time.monotonic() - killed
    assert run.end() == 1
    assert noticed < 10.0  # promised: 2 s; an idle machine takes a tenth of a second
    assert vanished(children)
    (recording,) = run.out.rglob("*.zm.h5")
    with h5py.File(recording) as file:
        assert len(file["raw/data"]) >= 500


@pytest.mark.skipif(bool(missing_libraries()), reason="Qt's libraries are missing")
def test_the_window_stays_when_the_stream_ended_by_itself(start: Callable[..., Run]) -> None:
    """Whoever looks at the last picture closes it; what was recorded is whole before that."""
    run = start(source=f"{SOURCE}&seconds=4&rate=250", view=())
    assert run.process.stderr is not None
    assert any("the window stays as it is until you close it" in line for line in run.process.stderr)
    assert set(run.children()) == {"view"}
    assert (run.out / "raw.zm.h5").exists()
    assert (run.out / "summary.json").exists()
    run.me.send_signal(signal.SIGINT)
    assert run.end() == 130


def test_children_do_not_outlive_a_killed_supervisor(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(run.recording)
    children = list(run.children().values())
    assert len(children) == 2
    run.process.kill()
    assert vanished(children, 60.0)
    assert list(run.out.rglob("*.zm.h5"))


def test_a_scan_ends_by_itself_when_it_is_usable(start: Callable[..., Run]) -> None:
    run = start("--until", "usable", "--seconds", "60")
    children: list[psutil.Process] = []
    run.wait_for(lambda: len(run.children()) == 2)
    children = list(run.children().values())
    assert run.end(180.0) == 0, run.said
    assert "usable: every parameter is known as well as is asked" in run.said
    assert vanished(children)
    summary = json.loads((run.out / "summary.json").read_text())
    assert summary["usable"]["answer"] == "yes"
    assert 8.0 < summary["duration_s"] < 60.0  # ten beats at 75 a minute, and two looks of 2 s each
    assert list(run.out.rglob("*.zm.h5"))
