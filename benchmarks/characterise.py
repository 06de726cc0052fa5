"""What `zeromag bench array` states of an array whose truth is known: largest error, and how often the interval holds.

    python -m benchmarks.characterise [--first 101] [--runs 12] [--seconds 40]

Each run is another array of 36 sensors (`sim:coils`: gains 3 %, tilts 2°, places 2 mm, crosstalk 2 %, 135 Hz ± 10 %,
15 fT/√Hz with a corner of 3 Hz) in another noise; coverage counts every sensor of every run. Seeds below 100 are for
working on the estimators, so what is reported is taken from 101 on.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.scene import OPM_SEED
from zeromag.acquire.simulate import Simulation, simulation
from zeromag.characterise.characterisation import characterise
from zeromag.characterise.findings import Characterisation
from zeromag.characterise.record import gather
from zeromag.characterise.response import DELAYS
from zeromag.physics.coils import Coils

BARS = {
    "white": "3 %", "corner": "10 %", "gain": "0.8 %", "place": "1 mm", "axis": "0.2°",
    "moved": "1 mm", "turned": "0.2°", "crosstalk": "0.1 %", "bandwidth": "2 %", "delay": "0.1 ms",
}  # fmt: skip


class Tally:
    """Errors in the unit of the bar, and whether each interval held."""

    def __init__(self) -> None:
        self.errors: dict[str, list[float]] = defaultdict(list)
        self.held: dict[str, list[bool]] = defaultdict(list)

    def each(self, name: str, error: NDArray[np.float64], held: NDArray[np.bool_] | None) -> None:
        """Count one figure of every channel."""
        self.errors[name] += np.abs(error).ravel().tolist()
        if held is not None:
            self.held[name] += held.ravel().tolist()

    def lines(self) -> list[str]:
        """Return the table."""
        head = f"{'figure':12}{'median error':>14}{'largest':>10}{'bar':>8}{'interval holds':>16}"
        rows = [
            f"{name:12}{np.median(values):14.3g}{max(values):10.3g}{BARS[name]:>8}"
            + (f"{np.mean(self.held[name]):15.1%}" if name in self.held else f"{'—':>15}")
            for name, values in self.errors.items()
        ]
        return [head, *rows]


def count(tally: Tally, source: Simulation, found: Characterisation) -> None:
    """Compare one characterisation with its truth."""
    names = found.record.sensors.names
    truth = source.real_array()

    def figure(name: str) -> NDArray[np.float64]:
        rows = [found.channels[channel][name] for channel in names]
        return np.array([(row.value, row.low, row.high) for row in rows])

    def against(name: str, key: str, wanted: NDArray[np.float64], scale: NDArray[np.float64] | float) -> None:
        seen = figure(key)
        tally.each(name, (seen[:, 0] - wanted) * scale, (seen[:, 1] <= wanted) & (wanted <= seen[:, 2]))

    ones = np.ones(len(names))
    against("white", "white", 15.0 * ones, 100 / 15)
    against("corner", "corner", 3.0 * ones, 100 / 3)
    against("gain", "gain", truth.gain, 100 / truth.gain)
    fit = found.calibration
    if fit is not None:
        drawn, real = found.record.sensors, truth.sensors
        tally.each("place", 1e3 * np.linalg.norm(fit.positions - real.positions, axis=1), None)
        tally.each("axis", _degrees(fit.axes, real.axes), None)
        against("moved", "moved", 1e3 * np.linalg.norm(real.positions - drawn.positions, axis=1), 1.0)
        against("turned", "turned", _degrees(real.axes, drawn.axes), 1.0)
    if found.crosstalk is not None and truth.mixing is not None and fit is not None:
        other = ~np.eye(len(names), dtype=np.bool_)
        error = found.crosstalk.pure(fit.gain) - (truth.mixing - np.eye(len(names)))
        limit = 1.96 * found.crosstalk.error * fit.gain / fit.gain[:, None]
        tally.each("crosstalk", 100 * error[other], (np.abs(error) < limit)[other])
    random = np.random.default_rng(np.random.SeedSequence((source.seed, OPM_SEED)))
    corner = 135 * np.clip(1 + 0.1 * random.standard_normal(len(names)), 0.5, 1.5)
    ratio = np.pi * corner / source.rate  # the simulation's bilinear filter, 1 / (1 + i tan(πf/rate) / ratio)
    band = source.rate / np.pi * np.arctan(ratio)
    against("bandwidth", "bandwidth", band, 100 / band)
    for frequency in DELAYS:
        slope = np.tan(np.pi * frequency / source.rate)
        delay = 1e3 * (1 + slope**2) / ratio / (1 + (slope / ratio) ** 2) / (2 * source.rate)
        against("delay", f"delay_{frequency:g}_Hz", delay, 1.0)


def _degrees(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    angle: NDArray[np.float64] = np.degrees(np.arccos(np.clip((one * other).sum(axis=1), -1, 1)))
    return angle


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--first", type=int, default=101, help="seed of the first run")
    options = parser.parse_args()
    tally = Tally()
    for seed in range(options.first, options.first + options.runs):
        source = simulation(f"sim:coils?seconds={options.seconds:g}&seed={seed}", block=4000)
        drives = next(part for part in source.room if isinstance(part, Coils)).drives
        count(tally, source, characterise(gather(source.blocks(), options.seconds), drives=drives))
    print("\n".join(tally.lines()))


if __name__ == "__main__":
    main()
