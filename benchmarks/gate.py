"""How well the gate foretells when a scan will do, and whether its yes is right: `python -m benchmarks.gate`.

Scans are made as averaged beats (`benchmarks/scans.py`) in rooms from quiet to loud. The gate is asked with more and
more beats until it says yes; what it foretold when half of that time was over is compared with the time it took, and
the numbers it then let pass with the truth. `--heartless` instead looks for the time until streams without a heart are
called `no`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.coverage import truths
from benchmarks.scans import TIME, Scene, planar
from zeromag._jit import F64
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

NEAR, MOST = 1.1, 500  # between the last no and the first yes; beats
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
    """One scan up to the gate's yes."""

    took: float  # s
    foretold: float  # s from the beginning, when half of that was over
    wrong: tuple[str, ...]  # parameters whose error was beyond their tolerance at the yes

    @property
    def error(self) -> float:
        """What was foretold over what it took, minus 1."""
        return self.foretold / self.took - 1


class Growing:
    """One scan of which the first beats, as many as are asked for, are looked at."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene, self._random = scene, np.random.default_rng(seed)
        self._beats: list[F64] = []
        self._mapper = Mapper()

    def average(self, count: int) -> Average:
        """Return the average of the first `count` beats."""
        while len(self._beats) < count:
            self._beats.append(self._scene.noisy_beat(self._random))
        pile = Pile(len(TIME), len(self._scene.sensors), 64)
        good = np.ones(len(self._scene.sensors), dtype=np.bool_)
        for wave in self._beats[:count]:
            pile.add(wave, good, self._scene.rr)
        return pile.average("normal", TIME, self._scene.sensors)

    def look(self, count: int) -> tuple[Usable, dict[str, Parameter]]:
        """Return what the gate says after `count` beats, and the parameters that it says it of."""
        beats = [Beat(1000 * self._scene.rr * (k + 1), rr=self._scene.rr) for k in range(count)]
        average = self.average(count)
        found = parameters(average, beats, self._mapper)
        return Gate()([average], beats, found, count * self._scene.rr, self._mapper), found


def grown(scene: Scene, seed: int, truth: dict[str, float]) -> Told | None:
    """Return what the gate foretold of one scan; None when it says no, or yes at once, or not within MOST beats."""
    scan, low, high = Growing(scene, seed), 10, 20
    if scan.look(low)[0]["answer"] == "yes":
        return None
    while (answer := scan.look(high)[0]["answer"]) != "yes":
        low, high = high, 2 * high
        if high > MOST or answer == "no":
            return None
    while high > low * NEAR and high - low > 1:
        middle = round(np.sqrt(low * high))
        if scan.look(middle)[0]["answer"] == "yes":
            high = middle
        else:
            low = middle
    _, found = scan.look(high)
    half = high // 2
    early, _ = scan.look(half)
    wrong = tuple(name for name, wanted in Gate().tolerances.items() if _error(name, found, truth) > wanted)
    return Told(high * scene.rr, half * scene.rr + early["seconds_needed"], wrong)


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
        truth = truths(scene)
        told = [one for one in (grown(scene, seed, truth) for seed in seeds) if one is not None]
        every += told
        print(f"{noise:g} pT a beat: " + "; ".join(f"{one.took:.0f} s foretold {one.foretold:.0f}" for one in told))
    if not every:
        raise SystemExit("no scan became usable between 10 and 500 beats: choose another noise")
    errors = np.array([one.error for one in every])
    print(f"\n{len(every)} scans: foretold {np.mean(errors):+.0%} on average, sd {np.std(errors):.0%}")
    print(f"within 30 % at half time: {np.mean(np.abs(errors) <= BAR):.0%}")
    print(f"a number beyond its tolerance at the yes: {np.mean([bool(one.wrong) for one in every]):.0%}", end="")
    print(f" ({', '.join(sorted({name for one in every for name in one.wrong})) or 'none'})")


if __name__ == "__main__":
    main()
