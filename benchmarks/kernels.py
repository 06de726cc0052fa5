"""How fast the filters are beside what a user would pick: `python -m benchmarks.kernels`.

Two rows of each: *arrays*, the stage's own call on an array beside the peer's call on an array; and *stage*, the same
with blocks in and out, their checks and masks, which the peer does not have. The bar is held against the arrays, with
NLMS and RLS against the stage, whose share in a hundred samples is small.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a second thread of BLAS gains nothing at these sizes, and stalls

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.limits import multiply_add
from benchmarks.measure import Line, beside, keep, turns
from zeromag._jit import F64, compiled, kernel
from zeromag._lanes import LANES
from zeromag.block import Block
from zeromag.filters import Nlms, Rls
from zeromag.filters.operator import Operator, SpatialStep
from zeromag.filters.sos import Cascade
from zeromag.physics.arrays import grid
from zeromag.sensors import Kind, SensorArray

ROUNDS = 25
BIQUADS = 7
PER_BIQUAD = 5  # multiply-adds
BARS = {64: "18 x, moonshot 20", 128: "16 x, moonshot 18", 512: "9 x, moonshot 11"}
CHAINS = 1000  # of the limit: multiply-adds that follow on each other


@kernel
def _nothing(x: F64, carried: F64, out: F64) -> bool:
    """Look at nothing but the sizes: what a call with these arguments costs by itself."""
    return len(x) + len(carried) + len(out) > 0


def channels(n: int, rate: float = 1000.0, samples: int = 10) -> Block:
    """Return a block of noise and mains on `n` channels of a grid."""
    side = int(np.ceil(np.sqrt(n)))
    sensors = grid(side, side, 0.02).pick(range(n))
    rng = np.random.default_rng(0)
    data = 1e-12 * rng.normal(size=(samples, n)) + 20e-12 * np.sin(np.arange(samples) * 0.3)[:, None]
    return Block(data=data, first=0, rate=rate, sensors=sensors)


def designs() -> list[NDArray[np.float64]]:
    """Return a band-pass of four biquads and three notches of one."""
    from scipy.signal import butter, iirnotch, tf2sos

    notches = [tf2sos(*iirnotch(50.0 * k, 10.0, fs=1000.0)) for k in (1, 2, 3)]
    return [butter(4, (1.0, 40.0), "bandpass", fs=1000.0, output="sos"), *notches]


def sosfilt_of(sections: NDArray[np.float64], x: NDArray[np.float64]) -> Callable[[], object]:
    """Return a call of `scipy.signal.sosfilt` that carries its state."""
    from scipy.signal import sosfilt, sosfilt_zi

    state = [sosfilt_zi(sections)[:, :, None] * x[0]]

    def run() -> NDArray[np.float64]:
        out, state[0] = sosfilt(sections, x, axis=0, zi=state[0])
        return np.asarray(out)

    return run


def loop_of_mne_lsl(x: NDArray[np.float64]) -> Callable[[], object]:
    """Return what `StreamLSL` does to each chunk with these filters: each on picked columns, in place, by SciPy."""
    from scipy.signal import sosfilt, sosfilt_zi

    picks = np.arange(x.shape[1])
    filters = [[design, sosfilt_zi(design)[:, :, None] * x[0]] for design in designs()]
    data = x.copy()

    def run() -> None:
        for one in filters:
            filtered, one[1] = sosfilt(one[0], data[:, picks], zi=one[1], axis=0)
            data[:, picks] = filtered

    return run


def biquads(n: int, samples: int, rounds: int, bar: str) -> Iterator[Line]:
    """Time seven biquads, state carried, beside SciPy and beside the loop of mne-lsl; and their share of the limit."""
    block = channels(n, samples=samples)
    sections = np.concatenate(designs())
    ours, values = Cascade(sections, block), np.random.default_rng(0).random(3 * LANES)
    theirs, x = sosfilt_of(sections, block.data), block.data
    far = max(float(np.abs(ours(block).data - np.asarray(theirs())).max()) for _ in range(50)) / np.abs(x).max()
    carried = np.zeros(100)
    nothing = compiled(_nothing, x, carried, x.copy())
    found = turns(
        {
            "arrays": lambda: ours.filtered(x),
            "call": lambda: nothing(x, carried, np.empty(x.shape)),
            "stage": lambda: ours(block),
            "scipy": theirs,
            "mne-lsl": loop_of_mne_lsl(x),
            "limit": lambda: multiply_add(values, CHAINS),
        },
        rounds,
    )
    what = f"{BIQUADS} biquads, {n} ch x {samples}"
    same = f"same to {far:.0e}"
    line = beside(f"{what}, arrays", found["arrays"], found["scipy"], "scipy.signal.sosfilt", bar)
    yield Line(line.what, line.ours, line.unit, line.theirs, line.beside, line.ratio, line.low, line.high, bar, same)
    yield beside(f"{what}, stage", found["stage"], found["scipy"], "scipy.signal.sosfilt", "")
    yield beside(f"{what}, arrays", found["arrays"], found["mne-lsl"], "mne-lsl's filter loop", "40 x, moonshot 90")
    needed = found["limit"] / (3 * LANES * CHAINS) * (PER_BIQUAD * BIQUADS * n * samples)
    share = 100 * needed / found["arrays"]
    rate = 3 * LANES * CHAINS / float(np.median(found["limit"])) / 1e9
    note = f"limit {rate:.1f} G/s"
    bar = "65 %, moonshot 85 %" if n >= 128 and samples >= 10 else ""
    yield Line(f"{what}, of the multiply-add limit", float(np.median(share)), "%", bar=bar, note=note)
    alone = 100 * np.median(needed / (found["arrays"] - found["call"]))
    yield Line(f"{what}, of the limit without the call", float(alone), "%", note="an empty kernel and array taken off")


def projection(n: int, rounds: int, bar: str) -> Iterator[Line]:
    """Time the removal of 8 vectors beside the full channels x channels matrix in BLAS."""
    block = channels(n)
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(n, 8)))[0]
    rows = np.arange(n, dtype=np.int64)
    operator = Operator(rows, rows, -basis, np.ascontiguousarray(basis.T))
    step, x = SpatialStep(lambda _good: operator, block), block.data
    step(block)
    full = np.eye(n) - basis @ basis.T
    found = turns({"arrays": lambda: step.filtered(x), "stage": lambda: step(block), "blas": lambda: x @ full}, rounds)
    for kind in ("arrays", "stage"):
        held = bar if kind == "arrays" else ""
        yield beside(f"projection of 8, {n} ch x 10, {kind}", found[kind], found["blas"], "full matrix, BLAS", held)


def adaptive(name: str, rounds: int) -> Iterator[Line]:
    """Time NLMS or RLS, 64 primaries and 8 regressors, a sample, beside padasip and beside NumPy on all channels."""
    import padasip

    n, refs, samples = 64, 8, 100
    base = channels(n + refs, samples=samples)
    mag: Kind = "mag"
    ref: Kind = "ref"
    kinds: tuple[Kind, ...] = (*[mag] * n, *[ref] * refs)
    sensors = SensorArray(base.sensors.names, base.sensors.positions, base.sensors.axes, kinds)
    block = Block(data=base.data, first=0, rate=1000.0, sensors=sensors)
    stage = Nlms(clip=0.0, blind=0) if name == "NLMS" else Rls(clip=0.0, blind=0)
    step = stage.start(block)
    weights, spread, forget = np.zeros((refs, n)), 1e24 * np.eye(refs), 1 - 1 / 30_000
    peer, settings = (
        (padasip.filters.FilterNLMS, {"mu": 3e-4, "eps": 1e-40})
        if name == "NLMS"
        else (padasip.filters.FilterRLS, {"mu": forget, "eps": 1e-24})
    )
    peers = [peer(n=refs, w="zeros", **settings) for _ in range(n)]

    def one_by_one() -> None:
        for c, filter_ in enumerate(peers):
            filter_.adapt(block.data[0, c], block.data[0, n:])

    def all_at_once() -> None:
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

    found = turns({"ours": lambda: step(block), "padasip": one_by_one, "numpy": all_at_once}, rounds)
    ours, what = found["ours"] / samples, f"{name} 64 x 8, a sample, stage"
    bars = {"NLMS": "1000 x, moonshot 3000", "RLS": "2000 x, moonshot 6000"}
    yield beside(what, ours, found["padasip"], "padasip", bars[name])
    yield beside(what, ours, found["numpy"] / samples, "NumPy, all channels", "25 x")


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    lines: list[Line] = []
    for n, samples in ((64, 10), (128, 10), (512, 10), (64, 1)):
        lines += biquads(n, samples, rounds, BARS[n] if samples == 10 else "40 x")
    for n, bar in ((128, "3 x, moonshot 5"), (512, "18 x, moonshot 25")):
        lines += projection(n, rounds, bar)
    for name in ("NLMS", "RLS"):
        lines += adaptive(name, rounds)
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
