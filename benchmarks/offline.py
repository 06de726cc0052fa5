"""`zeromag map` of long recordings: speed and memory, beside their bars: `python -m benchmarks.offline [MINUTES …]`.

Each recording is of 64 channels at 1 kHz with four reference sensors, written as the recorder writes one, and mapped by
the command in a process of its own: all parameters with intervals, maps, dipoles, sources, pictures and report. Speed
is seconds recorded over seconds taken, on the wall's clock and, for a machine with other work, on the processors' own
(as if one core did it all). Memory is the greatest resident size of that process (`ru_maxrss`).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zeromag.acquire.recording import write_recording
from zeromag.acquire.simulate import simulation

SOURCE = "sim:adult?rows=8&columns=8&pitch=30&seed=5"
FASTER, LESS, SLOPE = 60.0, 1024.0, 1.1  # bars: times real time, MiB, memory of the longest over that of the shortest


@dataclass(frozen=True, slots=True)
class Run:
    """One recording mapped."""

    minutes: float
    wall: float  # s
    cpu: float  # s
    memory: float  # MiB

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return 60 * self.minutes / self.wall

    def say(self) -> str:
        """Return one row of the table."""
        figures = (self.wall, self.cpu, self.speed, 60 * self.minutes / self.cpu, self.memory)
        return f"| {self.minutes:g} | " + " | ".join(f"{one:.1f}" for one in figures) + " |"


def written(recording: Path, source: str) -> None:
    """Write what a source gives as a recording."""
    write_recording(recording, simulation(source, block=1000))


def mapped(recording: Path, minutes: float, out: Path) -> Run:
    """Map a recording by the command, in a process of its own, and return what that took."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "zeromag", "map", str(recording), "--out", str(out)])
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"zeromag map {recording} failed with status {status}")
    return Run(minutes, time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Print one row a length and whether the bars are met."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("minutes", type=float, nargs="*", default=[1.0, 5.0, 30.0])
    asked.add_argument("--source", default=SOURCE, help="what is recorded")
    asked.add_argument("--keep", type=Path, help="a folder to keep the recordings in and to take them from")
    flags = asked.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = flags.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        print("| minutes | wall s | CPU s | × real time | × on one core's clock | MiB |\n|---|---|---|---|---|---|")
        for minutes in flags.minutes:
            recording = folder / f"{minutes:g}.zm.h5"
            if not recording.exists():
                with ProcessPoolExecutor(1) as other:  # a child's ru_maxrss begins at the size of who started it
                    other.submit(written, recording, f"{flags.source}&seconds={60 * minutes:g}").result()
            runs.append(mapped(recording, minutes, Path(name) / f"out-{minutes:g}"))
            print(runs[-1].say(), flush=True)
    last, growth = runs[-1], runs[-1].memory / runs[0].memory
    print(f"\nspeed of the longest {last.speed:.0f} x (bar {FASTER:.0f})")
    print(f"memory of the longest {last.memory:.0f} MiB (bar {LESS:.0f})")
    print(f"memory, longest over shortest {growth:.2f} (bar {SLOPE:g}); load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
