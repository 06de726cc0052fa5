"""How much faster a study is on two cores than on one: wall clock, and the CPU that it took.

`python benchmarks/study.py [RECORDINGS]`; runs on one worker and on two alternate. On a machine with other work the
ratio of wall clocks says little; that of CPU seconds says whether two workers cost each other anything (1.0: nothing),
and the share of a core that each worker got says how free the machine was.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.session import Session
from zeromag.study.run import study


def once(dataset: Path, out: Path, jobs: int) -> tuple[float, float]:
    """Return wall and CPU seconds of one study."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    study(dataset, out, Session(), jobs=jobs)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def main() -> None:
    """Print the medians of three rounds."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(count):
            write_fif(folder / "in" / f"sub-{k:03}_meg.fif", simulation(f"sim:adult?seconds=20&seed={k}"))
        once(folder / "in", folder / "warm", 1)  # kernels are compiled
        rounds = 3
        times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for k in range(rounds):
            for jobs, seen in times.items():
                seen.append(once(folder / "in", folder / f"{jobs}-{k}", jobs))
    wall, cpu = ({jobs: statistics.median(t[i] for t in times[jobs]) for jobs in times} for i in (0, 1))
    print(f"{count} recordings of 20 s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| workers | wall | CPU | share of a core each |\n|---|---|---|---|")
    for jobs in times:
        print(f"| {jobs} | {wall[jobs]:.1f} s | {cpu[jobs]:.1f} s | {cpu[jobs] / wall[jobs] / jobs:.2f} |")
    print(f"\n{wall[1] / wall[2]:.2f} times as fast; CPU of two over one {cpu[2] / cpu[1]:.2f}")


if __name__ == "__main__":
    main()
