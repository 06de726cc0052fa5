"""What the simulated room costs: CPU of one core for a second of each scene, and of the largest array it is made for.

`python benchmarks/simulation.py`; threads of BLAS are held to one, so that a core is a core. Bars: 64 channels at
1 kHz under 5 % of a core, 1,024 channels at 10 kHz no slower than real time. The figures in docs/simulation.md
come from here.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import statistics
import time
from itertools import islice
from pathlib import Path

from zeromag.acquire.presets import PRESETS
from zeromag.acquire.simulate import simulation

RECORD = Path(os.environ.get("ZEROMAG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
LARGE = "sim:adult?rows=32&columns=32&references=0&pitch=10&rate=10000"
CASES = (
    ("64 channels, 1 kHz", "sim:adult?rows=8&columns=8&references=0&pitch=30", 20.0, "5 %"),
    ("1,024 channels, 10 kHz", LARGE, 3.0, "100 %"),
    ("1,024 magnetometers, 10 kHz", f"{LARGE}&sensor=qzfm-gen3", 3.0, ""),
)


def share(spec: str, seconds: float) -> tuple[float, float]:
    """Return the CPU seconds per simulated second, and how long the start took (s), both of one core."""
    source = simulation(spec)
    blocks = source.blocks()
    began = time.thread_time()
    next(blocks)
    started = time.thread_time() - began
    # the first block brings a whole chunk with it: begin to count behind it
    for _ in islice(blocks, round(0.5 * source.rate / source.block)):
        pass
    costs = []
    for _ in range(4):
        began = time.thread_time()
        for _ in islice(blocks, round(seconds / 4 * source.rate / source.block)):
            pass
        costs.append((time.thread_time() - began) / (seconds / 4))
    blocks.close()
    return statistics.median(costs), started


def main() -> None:
    """Print a line for each."""
    print("| scene | of one core | start | bar |\n|---|---|---|---|")
    rows = [(f"`{name}`, as it is", f"sim:{name}", 20.0, "") for name in PRESETS]
    for name, spec, seconds, bar in (*CASES, *rows):
        if spec == "sim:vcg" and not (RECORD / "vcg" / "s0010_re.hea").is_file():
            continue
        file = f"?record={RECORD / 'vcg' / 's0010_re'}" if spec == "sim:vcg" else ""  # the one scene that needs one
        cost, started = share(spec + file, seconds)
        print(f"| {name} | {100 * cost:.1f} % | {started:.2f} s | {bar} |", flush=True)


if __name__ == "__main__":
    main()
