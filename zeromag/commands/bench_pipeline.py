"""`zeromag bench pipeline`: how late this machine's pipeline is, how much it can carry, and where its time goes."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag import __version__
from zeromag.errors import StorageError
from zeromag.progress import Progress

if TYPE_CHECKING:
    from zeromag.live.pipeline_run import PipelineRun

LADDER = ((8, 1e3), (16, 1e3), (16, 5e3), (16, 1e4), (23, 1e4), (32, 1e4), (45, 1e4))  # channels along a side, Hz
RUNG_SECONDS = 5.0
BLOCK_SECONDS = 0.01  # as by default
ROUND_SECONDS = 2  # of simulated heart, repeated, so that the source costs nothing


def run(flags: argparse.Namespace) -> int:
    """Measure, and print a page to paste; exit code 0 whatever the machine can do."""
    from zeromag.live.flame import processing_flame
    from zeromag.live.pipeline_run import run_pipeline

    side = max(2, round(flags.channels**0.5))
    with Progress("measuring latency") as progress:
        progress(0, 3)
        seen = _run(run_pipeline, side, flags.rate, flags.seconds, window=_can_draw())
        progress(1, 3)
        flame = processing_flame(_source(side, flags.rate), block=_block(flags.rate), seconds=min(flags.seconds, 10.0))
        progress(2, 3)
    rungs: list[PipelineRun] = []
    if not flags.no_limit:
        with Progress("looking for the limit") as progress:
            for k, (channels, rate) in enumerate(LADDER):
                progress(k, len(LADDER))
                rungs.append(_run(run_pipeline, channels, rate, RUNG_SECONDS))
                if not rungs[-1].held:
                    break
    print("\n".join([*_machine(), "", *_latencies(seen), "", *_limit(rungs), *_flame(flame.lines() if flame else [])]))
    if flags.out is not None:
        tree = {"zeromag": __version__, "machine": _machine(), "latency": _tree(seen), "limit": [*map(_tree, rungs)]}
        try:
            flags.out.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
            if flame is not None:
                flags.out.with_suffix(".folded").write_text(flame.folded(), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"the figures cannot be written to {flags.out}: {error.strerror or error}") from error
    return 0


def _can_draw() -> bool:
    """Return whether a window can be opened; without a display it is drawn where nobody sees it."""
    from zeromag.viz.display import has_display, missing_libraries

    if missing_libraries():
        return False
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return True


def _run(run_pipeline: Any, side: int, rate: float, seconds: float, *, window: bool = False) -> PipelineRun:
    found: PipelineRun = run_pipeline(
        _source(side, rate), channels=side * side, rate=rate, block=_block(rate), seconds=seconds, window=window
    )
    return found


def _source(side: int, rate: float) -> str:
    """Return a heart over a square array of 24 cm, two seconds of it again and again."""
    keys = f"rows={side}&columns={side}&pitch={240 / side:.6g}&rate={rate:g}&seconds={ROUND_SECONDS}"
    return f"loop:sim:adult?{keys}&heart_rate=60&variability=0&variation=0&references=0"


def _block(rate: float) -> int:
    return max(1, round(BLOCK_SECONDS * rate))


def _machine() -> list[str]:
    processor = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return [
        f"zeromag {__version__}, Python {platform.python_version()}, {platform.system()}",
        f"{processor}, {os.cpu_count()} cores{busy}",
    ]


def _latencies(seen: PipelineRun) -> list[str]:
    lines = [
        f"{seen.channels} channels at {seen.rate:g} Hz, blocks of {seen.block}, {seen.seconds:g} s: "
        f"{seen.lost} lost, {seen.misses} blocks later than their own length",
        f"{'ms after the last sample':26}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}",
    ]
    for place, late in seen.latency.items():
        cells = "".join(f"{1e3 * value:9.2f}" for value in _quantiles(late))
        lines.append(f"{place:26}{cells}")
    if "drawn" not in seen.latency:
        lines.append("drawn: no window could be opened; `zeromag doctor` says which libraries are missing")
    elif seen.pictures > 0:
        lines.append(f"{'pictures a second':26}{seen.pictures:9.1f}")
    shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in seen.cpu.items())
    return [*lines, f"share of a core: {shares}"]


def _limit(rungs: Sequence[PipelineRun]) -> list[str]:
    if not rungs:
        return []
    lines = [f"{'channels × rate':26}{'lost':>9}{'p50 ms':>9}{'p99 ms':>9}{'A core':>9}{'B core':>9}"]
    for rung in rungs:
        middle, high, *_ = _quantiles(rung.latency["filtered"])
        lines.append(
            f"{f'{rung.channels} × {rung.rate:g} Hz':26}{rung.lost:9d}{1e3 * middle:9.2f}{1e3 * high:9.2f}"
            f"{rung.cpu.get('acquire', np.nan):9.2f}{rung.cpu.get('process', np.nan):9.2f}"
            f"{'' if rung.held else '  not held'}"
        )
    held = [rung for rung in rungs if rung.held]
    most = f"{held[-1].channels} channels at {held[-1].rate:g} Hz" if held else "none of these"
    return [*lines, f"held without loss, recording, mapping and a subscriber: {most}", ""]


def _flame(lines: Sequence[str]) -> list[str]:
    return ["where the processing's time goes, share of its CPU time (below 2 % left out):", *lines] if lines else []


def _tree(seen: PipelineRun) -> dict[str, Any]:
    names = ("p50", "p99", "p99.9", "max")
    return {
        "channels": seen.channels, "rate_hz": seen.rate, "block": seen.block, "seconds": seen.seconds,
        "lost": seen.lost, "gaps": seen.gaps, "misses": seen.misses, "held": seen.held,
        "latency_s": {
            place: dict(zip(names, map(_known, _quantiles(late)), strict=True)) for place, late in seen.latency.items()
        },
        "pictures_per_second": _known(seen.pictures),
        "core_share": {name: _known(share) for name, share in seen.cpu.items()},
    }  # fmt: skip


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _quantiles(late: Sequence[float]) -> tuple[float, ...]:
    if not late:
        return (float("nan"),) * 4
    return tuple(float(value) for value in np.percentile(late, [50, 99, 99.9, 100]))
