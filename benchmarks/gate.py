"""How well the gate foretells when a scan will do, and whether its yes is right: `python -m benchmarks.gate`.

Scans are made as averaged beats (`benchmarks/scans.py`) in rooms from quiet to loud. The gate is asked every two
seconds and the scan ended as `zeromag live --until usable` ends it; what it foretold when half of that time was over is
compared with the time it took, and the numbers it then let pass with the truth. Asking until the answer is yes picks
the moment at which the intervals came out narrow, so how often they held the truth then is counted too. `--heartless`
instead looks for the time until streams without a heart are called `no`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.coverage import truths
from benchmarks.scans import TIME, Scene, planar
from zeromag.acquire.simulate import simulation
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.gate import Gate, Usable
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter, parameters
from zeromag.mapping.pile import Pile
from zeromag.mapping.unit import UNITS
from zeromag.scan.scan import Scan
from zeromag.session import Clean, Session

EVERY, YES = 2.0, 2  # s between two looks, and how many in a row must say yes, as in `zeromag live --until usable`
MOST, BOUND = 500, 0.3  # beats; share of what is still needed, before which no look can say yes
BAR, LATEST = 0.30, 20.0
NO_CLEANING = " uncleaned"  # a session that takes out nothing of the room
EMPTY = (  # what is in the room, or wrong with the array, and no heart
    "",
    "room=light&sensor=qzfm-gen3",
    "room=none&sensor=scalar-unshielded&rail_pT=300",
    "room=cylinder",
    "mains_pT=200",
    "mains=60&mains_pT=2000",
    "lift_pT=3000&lift_s=6",
    "drift_pT=3000",
    "tram_nT=100",
    "motor_pT=30",
    "motor_pT=300&motor_Hz=1.2",
    "motor_pT=100&motor_Hz=8&motor_m=1",
    "tremble_um=30",
    "breath_mm=4&tremble_um=20&loose=0.3",
    "corner=40&exponent=2",
    "noise=100",
    "rezero_s=5",
    "jumping=S07,S22,S23",
    "noisy=S01,S35&clipping=S14&dead=S05&stuck=S09",
    "gain_error=0.05&tilt_deg=4&position_mm=4&crosstalk=0.03",
    "rows=8&columns=8&pitch=30",
    "rows=3&columns=3",
    "rows=1&columns=7",
    "references=0",
    "references=0 uncleaned",
)


@dataclass(frozen=True, slots=True)
class Told:
    """One scan up to its end by the gate's yes."""

    took: float  # s
    foretold: float  # s from the beginning, when half of that was over
    wrong: tuple[str, ...]  # parameters whose error was beyond their tolerance at the end
    missed: tuple[str, ...]  # those whose interval did not hold the truth

    @property
    def error(self) -> float:
        """What was foretold over what it took, minus 1."""
        return self.foretold / self.took - 1


class Growing:
    """One scan of which the first beats, as many as are asked for, are looked at."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene, self._seed = scene, seed
        self._mapper = Mapper()
        self._open()

    def _open(self) -> None:
        self._random = np.random.default_rng(self._seed)
        self._pile = Pile(len(TIME), len(self._scene.sensors), 64)

    def average(self, count: int) -> Average:
        """Return the average of the first `count` beats."""
        if count < self._pile.count:
            self._open()
        good = np.ones(len(self._scene.sensors), dtype=np.bool_)
        while self._pile.count < count:
            self._pile.add(self._scene.noisy_beat(self._random), good, self._scene.rr)
        return self._pile.average("normal", TIME, self._scene.sensors)

    def look(self, count: int) -> tuple[Usable, dict[str, Parameter]]:
        """Return what the gate says after `count` beats, and the parameters that it says it of."""
        beats = [Beat(1000 * self._scene.rr * (k + 1), rr=self._scene.rr) for k in range(count)]
        average = self.average(count)
        found = parameters(average, beats, self._mapper)
        return Gate()([average], beats, found, count * self._scene.rr, self._mapper), found


def grown(scene: Scene, seed: int, truth: dict[str, float]) -> Told | None:
    """Return what the gate foretold of one scan; None when it says yes at once, or not within MOST beats.

    Looks that are bound to say no, since not a third of what is still needed has gone by, are left out.
    """
    scan, step, found = Growing(scene, seed), round(EVERY / scene.rr), dict[str, Parameter]()
    yes, count, needed = 0, 0, 2 * Gate().fewest * scene.rr
    while yes < YES:
        count += step * max(1, int(BOUND * needed / scene.rr / step))
        if count > MOST:
            return None
        said, found = scan.look(count)
        yes = yes + 1 if said["answer"] == "yes" else 0
        needed = said["seconds_needed"]
    if count <= Gate().fewest + (YES + 1) * step:
        return None
    half = count // 2
    errors = {name: _error(name, found, truth) for name in Gate().tolerances}
    wrong = tuple(name for name, wanted in Gate().tolerances.items() if errors[name] > wanted)
    missed = tuple(name for name, error in errors.items() if error > _half(found[name]))
    return Told(count * scene.rr, half * scene.rr + scan.look(half)[0]["seconds_needed"], wrong, missed)


def _half(found: Parameter) -> float:
    low, high = found["low"], found["high"]
    return float("inf") if low is None or high is None else (high - low) / 2


def _error(name: str, found: dict[str, Parameter], truth: dict[str, float]) -> float:
    away, period = found[name]["value"] - truth[name], UNITS[name].period
    return abs(away if period is None else (away + period / 2) % period - period / 2)


def heartless(room: str, seed: int, seconds: float = 30.0) -> float:
    """Return after how many seconds a stream without a heart is called no for good, looked at every 2 s; ∞: never."""
    bare = room.endswith(NO_CLEANING)
    source = f"sim:empty-room?seconds={seconds:g}&seed={seed}&{room.removesuffix(NO_CLEANING)}"
    session = Session(source=source, clean=Clean(suppression="none" if bare else "auto"))
    scan: Scan | None = None
    said = float("inf")
    for block in simulation(source, block=2000).blocks():
        scan = scan or Scan(block, session)
        scan(block)
        averages, beats = scan.averages(), list(scan.beats)
        found = parameters(averages[0], beats) if averages and averages[0].nave > 1 else {}
        answer = Gate()(averages, beats, found, scan.seconds)["answer"]
        said = min(said, scan.seconds) if answer == "no" else float("inf")
    return said


def main() -> None:
    """Print one row a room, or with `--heartless` one a stream."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=6)
    asked.add_argument("--first", type=int, default=2000, help="seed of the first scan")
    asked.add_argument("--noise", type=float, nargs="+", default=[1.0, 2.0, 4.0], help="pT a beat and channel")
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--heartless", action="store_true")
    flags = asked.parse_args()
    seeds = range(flags.first, flags.first + flags.seeds)
    if flags.heartless:
        said: dict[str, list[float]] = {}
        for room in EMPTY:
            said[room] = [heartless(room, seed) for seed in seeds]
            print(f"{room or 'as it is':58s} no after {' '.join(f'{one:.0f}' for one in said[room])} s", flush=True)
        print(f"latest {max(max(times) for times in said.values()):.0f} s (bar {LATEST:.0f} s, always)")
        return
    every: list[Told] = []
    for noise in flags.noise:
        scene = Scene(planar(), noise=1e-12 * noise)
        with ProcessPoolExecutor(flags.jobs) as pool:
            told = [one for one in pool.map(partial(grown, scene, truth=truths(scene)), seeds) if one is not None]
        every += told
        row = "; ".join(f"{one.took:.0f} s foretold {one.foretold:.0f}" for one in told)
        print(f"{noise:g} pT a beat: {row}", flush=True)
    if not every:
        raise SystemExit("no scan became usable between 10 and 500 beats: choose another noise")
    errors = np.array([one.error for one in every])
    print(f"\n{len(every)} scans: foretold {np.mean(errors):+.0%} on average, sd {np.std(errors):.0%}")
    print(f"within 30 % at half time: {np.mean(np.abs(errors) <= BAR):.0%}")
    for what, each in (
        ("beyond its tolerance", [one.wrong for one in every]),
        ("not in its interval", [one.missed for one in every]),
    ):
        times = Counter(name for names in each for name in names)
        share = sum(times.values()) / (len(every) * len(Gate().tolerances))
        scans = np.mean([bool(names) for names in each])
        print(f"a truth {what} at the end: {share:.1%} of all, {scans:.0%} of scans any", end="")
        print(f" ({', '.join(f'{name} {count}' for name, count in times.most_common()) or 'none'})")


if __name__ == "__main__":
    main()
