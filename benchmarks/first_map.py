"""Time from the command to the first field map, kernels compiled before: `python -m benchmarks.first_map`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.measure import Line, keep
from zeromag.acquire.message import Result
from zeromag.acquire.subscription import Subscription

RUNS = 5


def first_map() -> dict[str, float]:
    """Return seconds from starting `zeromag live` to its stages' first words and to the first map a viewer gets."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "zeromag", "live", "--headless"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    times: dict[str, float] = {}
    try:
        for line in process.stderr or ():
            if "--from" in line:
                times["streams joined"] = time.monotonic() - begin
                endpoint = line.split()[-1]
                break
        with Subscription(endpoint, newest_only=True) as subscription:
            while True:
                message = subscription.receive(1.0)
                if isinstance(message, Result) and message.name == "map":
                    times["first map"] = time.monotonic() - begin
                    return times
    finally:
        process.terminate()
        process.communicate(timeout=60)


if __name__ == "__main__":
    runs = [first_map() for _ in range(RUNS + 1)][1:]  # the first fills the caches
    lines = []
    for name in runs[0]:
        taken = [run[name] for run in runs]
        note = f"{min(taken):.2f} to {max(taken):.2f} s, {RUNS} runs"
        lines.append(Line(f"from the command to: {name}", statistics.median(taken), "s", note=note))
        print(lines[-1].say())
    keep(lines)
