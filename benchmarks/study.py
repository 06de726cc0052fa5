"""How much faster a study is on two cores than on one: wall clock, the CPU that it took, and the same bytes.

`python benchmarks/study.py [--recordings 200] [--seconds 6]`, three quarters of an hour on a quiet machine. One worker
is held to one core, where the system allows it: its report would be drawn on the other one meanwhile. Beside the study,
the same for two plain loops that share nothing: what two of this machine's processors are worth at all. CPU of two
workers over that of one says whether they cost each other anything (1.0: nothing) whatever else the machine does;
the share of a core that each worker got says how quiet it was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.session import Session
from zeromag.study.run import study

BAR = 1.8  # times one core's speed, on two


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds, those of child processes included."""
    began, before = time.monotonic(), _cpu()
    work()
    return time.monotonic() - began, _cpu() - before


def _cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def spin(turns: int) -> int:
    """Count: a loop that needs neither memory nor anything that is shared."""
    total = 0
    for turn in range(turns):
        total += turn & 3
    return total


def plain(turns: int = 50_000_000) -> float:
    """Return how much faster two processes count than one."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(spin, [1000, 1000]))
        one = clocked(lambda: list(pool.map(spin, [turns])))[0]
        two = clocked(lambda: list(pool.map(spin, [turns, turns])))[0]
    return 2 * one / two


def studied(source: Path, out: Path, jobs: int, cores: list[int]) -> tuple[float, float]:
    """Run the study with so many workers on as many cores; return wall and CPU seconds."""
    if cores:
        os.sched_setaffinity(0, cores[:jobs])
    return clocked(partial(study, source, out, Session(), jobs=jobs))


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a study by its path in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> None:
    """Run the study with one worker and with two, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each recording")
    flags = parser.parse_args()
    worth = plain()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(flags.recordings):
            spec = f"sim:adult?seconds={flags.seconds:g}&seed={k}"
            write_fif(folder / ("warm" if k < 2 else "in") / f"sub-{k:03}_meg.fif", simulation(spec))
        study(folder / "warm", folder / "warm.out", Session(), jobs=2)  # kernels are compiled
        for path in list((folder / "warm").iterdir()):
            path.rename(folder / "in" / path.name)
        cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        times = {jobs: studied(folder / "in", folder / str(jobs), jobs, cores) for jobs in (1, 2)}
        same = contents(folder / "1") == contents(folder / "2")
    (one, cpu_one), (two, cpu_two) = times[1], times[2]
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{flags.recordings} recordings of {flags.seconds:g} s, {machine}\n")
    print("| workers | wall | CPU | share of a core each |\n|---|---|---|---|")
    for jobs, (wall, cpu) in times.items():
        print(f"| {jobs} | {wall:.1f} s | {cpu:.1f} s | {cpu / wall / jobs:.2f} |")
    print("\n| figure | reached | bar |\n|---|---|---|")
    print(f"| two workers beside one | {one / two:.2f} times | {BAR} |")
    print(f"| two plain loops beside one | {worth:.2f} times | (all that there is) |")
    print(f"| CPU of two workers beside one | {cpu_two / cpu_one:.2f} | |")
    print(f"| the same bytes | {'yes' if same else 'NO'} | yes |")


if __name__ == "__main__":
    main()
