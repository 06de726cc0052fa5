"""How fast the filters are beside what a user would pick: `python -m benchmarks.kernels`.

One thread, its CPU clock; candidates take turns round by round and the median round counts, so that a busy machine
slows all of them alike. Only the ratios of one run are claims.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters import BandPass, JointFit, Nlms, Notch, Rls, TemporalSeparation, default_chain
from zeromag.filters.operator import Operator, SpatialStep
from zeromag.filters.sos import Cascade
from zeromag.physics.arrays import grid, with_references
from zeromag.pipeline import Chain
from zeromag.sensors import Kind, SensorArray

ROUNDS = 15
BIQUADS = 7
FMA_PER_BIQUAD = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    ours: float  # s per block
    theirs: float  # s per block
    beside: str
    bar: str

    def say(self) -> str:
        """Return the line."""
        ratio = f"{self.theirs / self.ours:7.1f} x" if self.theirs else " " * 9
        return f"{self.what:44s} {self.ours * 1e6:10.1f} us {ratio}  {self.beside:28s} bar {self.bar}"


def medians(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of each candidate, s; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    repeat = {name: _enough(run) for name, run in candidates.items()}
    for _ in range(rounds):
        for name, run in candidates.items():
            begin = time.thread_time()
            for _ in range(repeat[name]):
                run()
            times[name].append((time.thread_time() - begin) / repeat[name])
    return {name: statistics.median(values) for name, values in times.items()}


def _enough(run: Callable[[], object]) -> int:
    """Return how often to repeat for some 5 ms, after a first call that compiles."""
    run()
    begin = time.thread_time()
    run()
    return max(1, int(5e-3 / max(time.thread_time() - begin, 1e-7)))


def channels(n: int, rate: float = 1000.0, samples: int = 10) -> Block:
    """Return a block of noise and mains on `n` channels of a grid."""
    side = int(np.ceil(np.sqrt(n)))
    sensors = grid(side, side, 0.02).pick(range(n))
    rng = np.random.default_rng(0)
    data = 1e-12 * rng.normal(size=(samples, n)) + 20e-12 * np.sin(np.arange(samples) * 0.3)[:, None]
    return Block(data=data, first=0, rate=rate, sensors=sensors, mask=np.zeros((samples, n), dtype=np.bool_))


def biquads(n: int, samples: int, rounds: int, bar: str) -> Row:
    """Time a 4-section band-pass and three notches, state carried, beside `scipy.signal.sosfilt`."""
    from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos

    notches = [tf2sos(*iirnotch(50.0 * k, 10.0, fs=1000.0)) for k in (1, 2, 3)]
    sections = np.concatenate([butter(4, (1.0, 40.0), "bandpass", fs=1000.0, output="sos"), *notches])
    block = channels(n, samples=samples)
    ours = Cascade(sections, block)
    state = [sosfilt_zi(sections)[:, :, None] * block.data[0]]

    def theirs() -> NDArray[np.float64]:
        out, state[0] = sosfilt(sections, block.data, axis=0, zi=state[0])
        return np.asarray(out)

    found = medians({"ours": lambda: ours(block), "theirs": theirs}, rounds)
    return Row(f"{BIQUADS} biquads, {n} ch x {samples}", found["ours"], found["theirs"], "scipy.signal.sosfilt", bar)


def projection(n: int, rounds: int, bar: str) -> Row:
    """Time the removal of 8 vectors beside the full channels x channels matrix in BLAS."""
    block = channels(n)
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(n, 8)))[0]
    rows = np.arange(n, dtype=np.int64)
    operator = Operator(rows, rows, -basis, np.ascontiguousarray(basis.T))
    step = SpatialStep(lambda _good: operator, block)
    full = np.eye(n) - basis @ basis.T
    found = medians({"ours": lambda: step(block), "theirs": lambda: block.data @ full}, rounds)
    return Row(f"projection of 8 vectors, {n} ch x 10", found["ours"], found["theirs"], "full matrix, BLAS", bar)


def adaptive(name: str, rounds: int, bar: str) -> Row:
    """Time NLMS or RLS, 64 primaries and 8 regressors, beside NumPy on all channels at once, sample by sample."""
    n, refs, samples = 64, 8, 100
    base = channels(n + refs, samples=samples)
    mag: Kind = "mag"
    ref: Kind = "ref"
    kinds: tuple[Kind, ...] = (*[mag] * n, *[ref] * refs)
    sensors = SensorArray(base.sensors.names, base.sensors.positions, base.sensors.axes, kinds)
    block = Block(data=base.data, first=0, rate=1000.0, sensors=sensors, mask=base.mask)
    stage = Nlms(clip=0.0, blind=0) if name == "NLMS" else Rls(clip=0.0, blind=0)
    step = stage.start(block)
    weights, spread, forget = np.zeros((refs, n)), 1e24 * np.eye(refs), 1 - 1 / 30_000

    def theirs() -> None:
        nonlocal spread
        for row in block.data:
            x, y = row[n:], row[:n]
            error = y - x @ weights
            if name == "NLMS":
                weights[:] += np.outer(3e-4 / (1e-40 + x @ x) * x, error)
            else:
                px = spread @ x
                gain = px / (forget + x @ px)
                weights[:] += np.outer(gain, error)
                spread = (spread - np.outer(gain, px)) / forget

    found = medians({"ours": lambda: step(block), "theirs": theirs}, rounds)
    scale = 1 / samples
    return Row(
        f"{name} 64 primaries x 8, a sample", found["ours"] * scale, found["theirs"] * scale, "NumPy, all channels", bar
    )


def share(what: str, chain: Chain, sensors: SensorArray, rate: float, bar: str, *, seconds: float = 6.0) -> str:
    """Return a line: mean share of a core, and the 99th percentile of a block beside its own length."""
    samples = 10
    rng = np.random.default_rng(0)
    time_s = np.arange(round(seconds * rate)) / rate
    data = 0.3e-12 * rng.normal(size=(len(time_s), len(sensors))) + 20e-12 * np.sin(2 * np.pi * 50 * time_s)[:, None]
    whole = Block(data=data, first=0, rate=rate, sensors=sensors)
    parts = [whole.part(k, k + samples) for k in range(0, len(whole) - samples, samples)]
    chain.warm(sensors, rate, samples)
    step = chain.start(parts[0])
    took = []
    for part in parts:
        begin = time.thread_time()
        step(part)
        took.append(time.thread_time() - begin)
    late = np.array(took[len(took) // 3 :]) / (samples / rate)
    return (
        f"{what:44s} {100 * late.mean():9.2f} % of a core, p50 {np.median(late):.3f}, "
        f"p99 {np.quantile(late, 0.99):.3f} of a block   bar {bar}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--large", action="store_true", help="1,024 channels at 10 kHz too")
    options = parser.parse_args()
    rounds = options.rounds
    for n, samples, bar in ((64, 10, "18"), (128, 10, "16"), (512, 10, "9"), (64, 1, "40")):
        print(biquads(n, samples, rounds, bar).say(), flush=True)
    for n, bar in ((128, "3"), (512, "18")):
        print(projection(n, rounds, bar).say(), flush=True)
    for name in ("NLMS", "RLS"):
        print(adaptive(name, rounds, "25").say(), flush=True)
    small = with_references(grid(6, 6, 0.04))
    print(share("default chain, 48 ch, 1 kHz", default_chain(small, 1000.0).chain, small, 1000.0, "3 %"), flush=True)
    for side, n in ((8, 64), (12, 128)):
        array = grid(side, side, 0.03).pick(range(n))
        temporal = Chain((TemporalSeparation(damping=0.01),))
        line = share(f"temporal SSS, 10 s, {n} ch, 1 kHz", temporal, array, 1000.0, "30 %", seconds=14.0)
        print(line, flush=True)
    if options.large:
        many = grid(32, 32, 0.01)
        chain = Chain((JointFit(), BandPass(1.0, 40.0), Notch(50.0)))
        print(share("joint fit, band-pass, notch, 1,024 ch, 10 kHz", chain, many, 1e4, "1 core", seconds=1.0))
        line = share(
            "default chain, 1,024 ch, 10 kHz", default_chain(many, 1e4).chain, many, 1e4, "1 core", seconds=1.5
        )
        print(line)


if __name__ == "__main__":
    main()
