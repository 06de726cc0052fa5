"""How often the 95 % intervals hold the truth, parameter by parameter: `python -m benchmarks.coverage`.

The scans are made as averaged beats directly (`benchmarks/scans.py`): the heart's wall in three parts, beats that
differ in strength, place and timing, white and slow noise. The truth is what the same definition says of the mean of
4000 beats without noise, on an operator made without noise: nothing of it comes from the scan.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.scans import TIME, Scene, planar
from zeromag.mapping.average import Average
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.parameters import Parameter, parameters
from zeromag.mapping.unit import UNITS


@dataclass(frozen=True, slots=True)
class Held:
    """What came of one parameter's intervals in many scans."""

    truth: float
    scans: int  # in which it had an interval
    share: float  # of them that held the truth
    bias: float  # mean error of the value over its standard deviation
    width: float  # mean half width over 1.96 standard deviations of the value: 1 is as it should be


def truths(scene: Scene) -> dict[str, float]:
    """Return every parameter of the scene's mean beat without noise."""
    mean = scene.mean_beat()
    n = len(scene.sensors)
    clean = Average("normal", TIME, mean, np.full(n, 1e-17), 1, scene.sensors, np.ones(n, dtype=np.bool_))
    return Measures(clean, Mapper())(mean, scene.rr)


def found_in(scene: Scene, beats: int, seed: int) -> dict[str, Parameter]:
    """Return what one scan says."""
    average, found = scene.scan(beats, seed)
    return parameters(average, found)


def coverage(scene: Scene, beats: int, scans: int, jobs: int = 1, first: int = 0) -> dict[str, Held]:
    """Return how often each parameter's interval held the truth, in scans with seeds from `first` on."""
    truth = truths(scene)
    with ProcessPoolExecutor(jobs) as pool:
        found = list(pool.map(partial(found_in, scene, beats), range(first, first + scans), chunksize=4))
    return {name: held(name, truth[name], found) for name in UNITS if name in truth}


def held(name: str, truth: float, found: Sequence[Mapping[str, Parameter]]) -> Held:
    """Return what came of one parameter in many scans of one truth."""
    errors, halves, hits = [], [], []
    period = UNITS[name].period
    for scan in found:
        one = scan.get(name)
        if one is None or one["low"] is None or one["high"] is None:
            continue
        error = one["value"] - truth
        if period is not None:
            error = (error + period / 2) % period - period / 2
        slack = 1e-9 * abs(truth)
        hits.append(one["low"] - slack <= one["value"] - error <= one["high"] + slack)
        errors.append(error)
        halves.append((one["high"] - one["low"]) / 2)
    if not hits:
        return Held(truth, 0, *[float("nan")] * 3)
    spread = float(np.std(errors)) or 1e-300
    return Held(
        truth,
        len(hits),
        float(np.mean(hits)),
        float(np.mean(errors)) / spread,
        float(np.mean(halves)) / (1.96 * spread),
    )


def main() -> None:
    """Print one table a scene."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--scans", type=int, default=200)
    asked.add_argument("--first", type=int, default=1000, help="seed of the first scan")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--beats", type=int, nargs="+", default=[60])
    asked.add_argument("--noise", type=float, nargs="+", default=[0.3e-12], help="T a beat and channel")
    asked.add_argument("--single", action="store_true", help="one dipole instead of the wall's three parts")
    flags = asked.parse_args()
    for beats in flags.beats:
        for noise in flags.noise:
            scene = Scene(planar(), noise=noise, sites=not flags.single)
            heart = "one dipole" if flags.single else "three parts"
            print(f"\n{flags.scans} scans of {beats} beats, {1e12 * noise:g} pT of noise a beat, {heart}")
            print(f"{'parameter':24s}{'truth':>12s}{'scans':>7s}{'held':>8s}{'bias/sd':>9s}{'width':>7s}")
            for name, one in coverage(scene, beats, flags.scans, flags.jobs, flags.first).items():
                mark = "" if 0.93 <= one.share <= 0.97 else "  *"
                print(f"{name:24s}{one.truth:12.4g}{one.scans:7d}{one.share:8.3f}{one.bias:9.2f}{one.width:7.2f}{mark}")


if __name__ == "__main__":
    main()
