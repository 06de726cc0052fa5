"""How fast maps and dipoles are beside what a user would pick: `python -m benchmarks.maps`.

Candidates take turns round by round and the median of each counts, so that a busy machine slows all alike. Only the
ratios of one run are claims.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.measure import Line, beside, keep, turns
from zeromag._jit import F64
from zeromag.mapping.dipole import DipoleFit
from zeromag.mapping.mapper import Mapper
from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray

DEEP = 0.15  # m from the sensors to the centre of the sphere that MNE is given


def planar(side: int, pitch: float) -> SensorArray:
    """Return a flat grid of Bz sensors."""
    line = (np.arange(side) - (side - 1) / 2) * pitch
    places = np.array([(x, y, 0.0) for y in line for x in line])
    axes = np.tile([0.0, 0.0, 1.0], (len(places), 1))
    return SensorArray(tuple(f"S{c:02d}" for c in range(len(places))), places, axes)


def frames(sensors: SensorArray, reading: F64, rounds: int) -> list[Line]:
    """Return a map frame beside SciPy's scattered interpolators."""
    from scipy.interpolate import CloughTocher2DInterpolator, RBFInterpolator

    operator = Mapper().operator(sensors, np.ones(len(sensors), dtype=np.bool_), np.full(len(sensors), 0.3e-12))
    grid = np.stack(np.meshgrid(operator.grid.x, operator.grid.y), axis=-1).reshape(-1, 2)
    places, row, now = sensors.positions[:, :2], reading[None, :], np.zeros(1)
    found = turns(
        {
            "zeromag field": lambda: operator.live_field(row)[0],
            "zeromag field, deviation": lambda: operator.live_field(row),
            "zeromag field, deviation, current": lambda: operator.live(now, row),
            "RBFInterpolator": lambda: RBFInterpolator(places, reading)(grid),
            "CloughTocher2DInterpolator": lambda: CloughTocher2DInterpolator(places, reading)(grid),
        },
        rounds,
    )
    ours, what = found["zeromag field"], f"map frame, {len(sensors)} sensors to 64x64"
    bars = {"RBFInterpolator": "150 x", "CloughTocher2DInterpolator": "35 x"}
    return [beside(what, ours, times, name, bars.get(name, "")) for name, times in found.items() if times is not ours]


def dipoles(sensors: SensorArray, rounds: int) -> list[Line]:
    """Return a dipole fit beside `mne.fit_dipole`, each in the conductor it knows: a half-space, a sphere of 15 cm."""
    random, count = np.random.default_rng(0), 12
    places = np.stack([*random.uniform(-0.03, 0.03, (2, count)), -random.uniform(0.06, 0.09, count)], axis=1)
    moments = np.stack([*(1e-5 * random.normal(size=(2, count))), np.zeros(count)], axis=1)
    noise = random.normal(scale=1e-12, size=(count, len(sensors)))
    flat, ball = (
        noise
        + np.stack(
            [
                lead_field(body, place[None, :], sensors.positions, sensors.axes)[:, 0] @ moment
                for place, moment in zip(places, moments, strict=True)
            ]
        )
        for body in (HalfSpace(), Sphere((0.0, 0.0, -DEEP), DEEP - 0.01))
    )
    theirs, mne_time = _mne(sensors, ball)
    fitter = DipoleFit().of(sensors, np.ones(len(sensors), dtype=np.bool_), np.full(len(sensors), 1e-12))
    ours = [fitter(reading) for reading in flat]
    begin = time.thread_time()
    for _ in range(rounds):
        ours = [fitter(reading) for reading in flat]
    our_time = (time.thread_time() - begin) / count / rounds
    our_miss = np.median(np.linalg.norm([np.array(one.position) for one in ours] - places, axis=1))
    their_miss = np.median(np.linalg.norm(theirs - places, axis=1))
    what, note = (
        f"dipole fit, {len(sensors)} sensors",
        f"median error {our_miss * 1e3:.2f} mm beside {their_miss * 1e3:.2f} mm",
    )
    ratio = mne_time / our_time
    return [Line(what, our_time * 1e6, "us", mne_time * 1e6, "mne.fit_dipole", ratio, bar="300 x", note=note)]


def _mne(sensors: SensorArray, readings: F64) -> tuple[F64, float]:
    """Return the places (n, 3) m that MNE finds in a sphere, in the array's coordinates, and its CPU time for one."""
    import mne

    info = mne.create_info(list(sensors.names), 1000.0, "mag")
    for channel, place in zip(info["chs"], sensors.positions + np.array([0.0, 0.0, DEEP]), strict=True):
        channel["loc"][:12] = [*place, 1, 0, 0, 0, 1, 0, 0, 0, 1]
        channel["coil_type"] = 2000
    info["dev_head_t"] = mne.transforms.Transform("meg", "head", np.eye(4))
    evoked = mne.EvokedArray(readings.T, info, verbose="error")
    sphere = mne.make_sphere_model((0.0, 0.0, 0.0), DEEP - 0.01, info=info, verbose="error")
    covariance = mne.make_ad_hoc_cov(info, std={"mag": 1e-12}, verbose="error")
    begin = time.thread_time()
    found, _ = mne.fit_dipole(evoked, covariance, sphere, verbose="error")
    return found.pos - np.array([0.0, 0.0, DEEP]), (time.thread_time() - begin) / len(readings)


def live(sensors: SensorArray, reading: F64, rounds: int) -> list[Line]:
    """Return what map, current and dipole of every sample of a second at 1 kHz take of one core."""
    operator = Mapper().operator(sensors, np.ones(len(sensors), dtype=np.bool_), np.full(len(sensors), 0.3e-12))
    fitter = DipoleFit().of(sensors, operator.good, np.full(len(sensors), 0.3e-12))
    row, now = reading[None, :], np.zeros(1)
    found = turns({"map": lambda: operator.live(now, row), "dipole": lambda: fitter(reading)}, rounds)
    share = 100e3 * sum(float(np.median(times)) for times in found.values())
    return [Line("map, current and dipole of every sample at 1 kHz", share, "% of a core")]


def main() -> None:
    """Run all, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    sensors = planar(8, 0.03)
    place, moment = np.array([[0.01, 0.02, -0.1]]), np.array([8e-6, -6e-6, 0.0])
    reading = lead_field(HalfSpace(), place, sensors.positions, sensors.axes)[:, 0] @ moment
    lines = [*frames(sensors, reading, rounds), *live(sensors, reading, rounds), *dipoles(sensors, rounds)]
    for line in lines:
        print(line.say())
    keep(lines)


if __name__ == "__main__":
    main()
