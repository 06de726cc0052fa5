"""How a figure is taken and kept: candidates in turns, medians and spread, and beside them what machine it was.

A candidate's time is that of its thread's own clock; candidates take turns round by round, so that a busy machine
slows all alike, and a ratio is the median of the rounds' own ratios. Only ratios of one run are claims.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.limits import limits

RESULTS = Path(__file__).parent / "results"
NAMED = ("numpy", "scipy", "numba", "mne", "mne-lsl", "padasip", "pyzmq", "pylsl", "h5py", "PySide6-Essentials")
TURN_S = 4e-3  # of one candidate


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a table; what is not known is None."""

    what: str
    ours: float
    unit: str  # of `ours` and `theirs`
    theirs: float | None = None
    beside: str = ""  # what `theirs` is
    ratio: float | None = None  # theirs / ours
    low: float | None = None  # quartiles of the rounds' ratios
    high: float | None = None
    bar: str = ""  # what the plan asks for
    note: str = ""

    def say(self) -> str:
        """Return the line for a terminal."""
        beside = ""
        if self.ratio is not None:
            beside = f"{self.ratio:8.1f} x"
            if self.low is not None and self.high is not None:
                beside += f" [{self.low:.1f}, {self.high:.1f}]"
        bar = f"bar {self.bar}" if self.bar else ""
        return f"{self.what:52s} {self.ours:10.4g} {self.unit:12s} {beside:24s} {self.beside:26s} {bar} {self.note}"


def turns(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the time of each candidate in each round: (rounds,) s."""
    repeat = {name: _enough(run) for name, run in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            begin = time.thread_time()
            for _ in range(repeat[name]):
                run()
            times[name].append((time.thread_time() - begin) / repeat[name])
    return {name: np.array(values) for name, values in times.items()}


def _enough(run: Callable[[], object]) -> int:
    """Return how often to repeat in a turn, after calls that compile and warm up."""
    for _ in range(3):
        run()
    count, took = 1, 0.0
    while took < TURN_S:
        begin = time.thread_time()
        for _ in range(count):
            run()
        took = time.thread_time() - begin
        if took < TURN_S:
            count *= 2
    return count


def beside(
    what: str,
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    name: str,
    bar: str,
    *,
    scale: float = 1e6,
    unit: str = "us",
) -> Line:
    """Return a line out of the rounds of both."""
    low, ratio, high = np.quantile(theirs / ours, (0.25, 0.5, 0.75))
    mine, other = float(np.median(ours)) * scale, float(np.median(theirs)) * scale
    return Line(what, mine, unit, other, name, float(ratio), float(low), float(high), bar)


def machine() -> dict[str, object]:
    """Return what the figures belong to: commit, processor and its limits, versions, date, and how busy it was."""
    versions: dict[str, str] = {}
    for name in NAMED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "limits": limits(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": versions,
    }


def _git(*words: str) -> str:
    found = subprocess.run(
        ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return found.stdout.strip()


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    names = [line for line in path.read_text().splitlines() if line.startswith("model name")] if path.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor()


def keep(lines: Sequence[Line]) -> None:
    """Store the lines of the running script, with the machine, where `report.py` finds them."""
    name = Path(sys.argv[0]).stem
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"script": name, **machine(), "lines": [asdict(line) for line in lines]}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
