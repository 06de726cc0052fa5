"""How well sources are found, and a fetus beside its mother: `python -m benchmarks.sources [--data FOLDER]`.

Prints every figure of docs/maps.md. Errors are medians over seeded draws; nothing here depends on the machine's speed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from benchmarks.maps import planar
from zeromag._jit import F64
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.dipole import DipoleFit
from zeromag.mapping.dipole_any import AnyDipoleFitter
from zeromag.mapping.distributed import minimum_norm
from zeromag.mapping.fetal import Fetal
from zeromag.mapping.source_gain import SourceGain
from zeromag.offline import map_recording
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray
from zeromag.session import Session

BALL = Sphere((0.0, 0.0, -0.16), 0.15)
RECORDINGS = {"signal_03": (1000.0, 137, 86), "signal_10": (500.0, 138, 93)}  # rate; fetus, mother in the data's README


def gains(sensors: SensorArray, noise: float, conductor: Conductor) -> SourceGain:
    """Return the lead field of a whole array with one noise."""
    n = len(sensors)
    return SourceGain(conductor, sensors, np.ones(n, dtype=np.bool_), np.full(n, noise))


def tangential(random: np.random.Generator, size: float) -> F64:
    """Return a moment of this size along the chest, in any direction."""
    angle = random.uniform(0, 2 * np.pi)
    return size * np.array([np.cos(angle), np.sin(angle), 0.0])


def phantom(draws: int) -> None:
    """Print what 1 % gain, 1 mm and 1 degree cost a dipole fit."""
    random, ideal = np.random.default_rng(1), planar(7, 0.033)
    fitter = DipoleFit().of(ideal, np.ones(49, dtype=np.bool_), np.full(49, 0.15e-12))
    misses = []
    for _ in range(draws):
        axes = ideal.axes + np.radians(1.0) * random.normal(size=(49, 3))
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        places = ideal.positions + random.normal(scale=1e-3, size=(49, 3))
        place = np.array([*random.uniform(-0.03, 0.03, 2), -random.uniform(0.08, 0.10)])
        field = lead_field(HalfSpace(), place[None], places, axes)[:, 0] @ tangential(random, 1e-5)
        found = fitter(field * (1 + 0.01 * random.normal(size=49)))
        misses.append(np.linalg.norm(np.array(found.position) - place))
    print(f"phantom, 49 Bz, 1 % gain, 1 mm, 1 degree: {1e3 * np.median(misses):.2f} mm (bar 3.3)")


def scatter(draws: int) -> None:
    """Print the scatter of fits beside the Cramer-Rao bound."""
    random, sensors, noise = np.random.default_rng(0), planar(6, 0.04), 1e-12
    place, moment = np.array([0.013, -0.022, -0.10]), np.array([8e-6, -6e-6, 0.0])
    clean = lead_field(HalfSpace(), place[None], sensors.positions, sensors.axes)[:, 0] @ moment
    fitter = DipoleFit().of(sensors, np.ones(36, dtype=np.bool_), np.full(36, noise))
    fits = [fitter(clean + random.normal(scale=noise, size=36)) for _ in range(draws)]
    spread = np.linalg.norm(np.std([one.position for one in fits], axis=0))
    bound = np.median([one.bound for one in fits])
    print(
        f"dipole, 6x6/40, 1 pT: sd {1e3 * spread:.3f} mm, Cramer-Rao {1e3 * bound:.3f} mm, ratio {spread / bound:.3f}"
    )


def pathway(draws: int) -> None:
    """Print what seven channels find of a pathway in a sphere, fitted in a sphere and in a half-space."""
    angles = np.arange(6) * np.pi / 3
    ring = np.stack([0.06 * np.cos(angles), 0.06 * np.sin(angles), np.zeros(6)], axis=1)
    places = np.concatenate([np.zeros((1, 3)), ring])
    sensors = SensorArray(tuple(f"S{c}" for c in range(7)), places, np.tile([0.0, 0.0, 1.0], (7, 1)))
    random, starts = np.random.default_rng(4), HeartVolume(0.06, 0.06, 0.05, 0.13, 0.02).points()
    bodies: dict[str, Conductor] = {"matched": BALL, "half-space instead": HalfSpace()}
    fitters = {name: AnyDipoleFitter(gains(sensors, 0.1e-12, body), starts) for name, body in bodies.items()}
    misses: dict[str, list[float]] = {name: [] for name in bodies}
    for _ in range(draws):
        place = np.array([*random.uniform(-0.02, 0.02, 2), -random.uniform(0.07, 0.09)])
        gain = lead_field(BALL, place[None], sensors.positions, sensors.axes)[:, 0]
        field = gain @ tangential(random, 5e-6) + random.normal(scale=0.1e-12, size=7)
        for name, fitter in fitters.items():
            misses[name].append(float(np.linalg.norm(np.array(fitter(field).position) - place)))
    for name, some in misses.items():
        print(f"pathway, 7 channels, 0.1 pT, {name}: {1e3 * np.median(some):.1f} mm")


def standardised() -> None:
    """Print how often one dipole without noise is found at its own place of a grid."""
    places = HeartVolume(0.05, 0.05, 0.06, 0.12, 0.02).points()
    lead = gains(planar(6, 0.04), 1e-12, HalfSpace())
    gain = np.einsum("csx,sxk->csk", lead(places), lead.basis(places))
    for name, way in (("sLORETA", minimum_norm(gain, standardised=True)), ("minimum norm", minimum_norm(gain))):
        found = [int(way.strength(way.moments(gain[None, :, k, 0])).argmax()) for k in range(len(places))]
        miss = np.linalg.norm(places[found] - places, axis=1)
        print(f"{name}: {np.mean(miss < 1e-9):.0%} of {len(places)} places, mean miss {1e3 * miss.mean():.1f} mm")


def fetus(folder: Path) -> None:
    """Print both rates of the two abdominal recordings, first minute, online."""
    from scipy.io import loadmat

    for name, (rate, fetal, maternal) in RECORDINGS.items():
        if not (path := folder / "fetal" / f"{name}.mat").is_file():
            print(f"{name}: not there; give --data")
            continue
        leads = loadmat(path)["s"].astype(np.float64)
        leads = np.ascontiguousarray((leads if leads.shape[1] == 8 else leads.T)[: round(60 * rate)])
        nowhere = np.full((8, 3), np.nan)
        sensors = SensorArray(tuple(f"A{c}" for c in range(8)), nowhere, nowhere, kinds=("ecg",) * 8)
        block = Block(data=leads, first=0, rate=rate, sensors=sensors)
        search = Fetal().start(block)
        told = [search(block.part(k, min(k + 50, len(block)))) for k in range(0, len(block), 50)]
        told.append(search.finish())
        mother = _rate([beat for one in told for beat in one.mother])
        child = _rate([beat for one in told for beat in one.fetus])
        print(f"{name}: fetus {child:.1f} /min ({fetal}), mother {mother:.1f} /min ({maternal})")


def womb(seeds: int) -> None:
    """Print how far the fetus's intervals lie from those simulated, with half of their 95 % intervals, in ms."""
    for seed in range(seeds):
        spec = f"sim:fetal?seconds=60&seed={seed}"
        marks = np.nanmean(np.diff(simulation(spec).beating()[0].fiducials(0, 60_000)[:, [0, 2, 3, 5]], axis=1), axis=0)
        truth = {"pr": marks[0], "qrs": marks[1], "qt": marks[1] + marks[2]}
        said = []
        for name, found in map_recording(Session(source=spec)).parameters.items():
            if name in truth and found["low"] is not None and found["high"] is not None:
                away, half = 1e3 * found["value"] - truth[name], 1e3 * (found["high"] - found["low"]) / 2
                said.append(f"{name} {away:+.1f} (known to ±{half:.1f})")
        print(f"womb, seed {seed}: {'; '.join(said)}", flush=True)


def _rate(beats: list[Beat]) -> float:
    return float(60 / np.mean([beat.rr for beat in beats if np.isfinite(beat.rr)]))


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ZEROMAG_DATA", "data")))
    parser.add_argument("--wombs", type=int, default=12, help="simulated wombs of a minute")
    flags = parser.parse_args()
    phantom(flags.draws)
    scatter(4 * flags.draws)
    pathway(flags.draws)
    standardised()
    fetus(flags.data)
    womb(flags.wombs)


if __name__ == "__main__":
    main()
