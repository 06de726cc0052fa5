"""What the choice by the room is worth, against the truth: `python -m benchmarks.rooms [--seconds 60]`.

Each scene runs twice, by the array's own choice and by what the first eight seconds of the room asked for; the average
beat (from 9 s on, in both) is held against what ideal sensors see, 3 % of gain and 1.5° of axis included. First the
scene of the plan, a light room with bad sensors, for three seeds.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.simulate import Simulation, simulation
from zeromag.block import Block
from zeromag.filters import LowPass, default_chain
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.room_look import RoomLook
from zeromag.pipeline import Chain

FAULTY = "gain_error=0.03&tilt_deg=1.5&dead=S03&jumping=S08&noisy=S20&clipping=S30"
REAL = "gain_error=0.03&tilt_deg=1.5"
SCENES = (
    f"sim:adult?{REAL}",
    f"sim:adult?references=0&{REAL}",
    f"sim:adult?references=0&room=light&{REAL}",
    f"sim:adult?references=0&room=cylinder&{REAL}",
    f"sim:adult?references=0&noise=100&{REAL}",
    f"sim:adult?references=0&lift_pT=1000&{REAL}",
    f"sim:adult?motor_pT=20&motor_m=1&{REAL}",
    f"sim:adult?references=0&motor_pT=5&motor_m=1&{REAL}",
    f"sim:adult?rows=4&columns=4&pitch=50&references=0&{REAL}",
)
FROM_S = 9.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One simulated scene, whole: what sensors read, and what ideal ones would behind the same low-pass."""

    sim: Simulation
    raw: Block
    ideal: NDArray[np.float64]

    def look(self) -> RoomLook:
        """Return the look at the room that a scan of it would have."""
        masked = MaskBad().start(self.raw)(self.raw)
        look = RoomLook(masked)
        look(masked)
        return look

    def at_r(self, chain: Chain) -> tuple[float, float]:
        """Return correlation and relative error of the average map at R behind a chain."""
        out = chain.start(self.raw)(self.raw)
        rate, mag = self.sim.rate, self.sim.sensors.of_kind("mag")
        cut = np.arange(-round(0.3 * rate), round(0.5 * rate))
        pr = slice(round(0.2 * rate), round(0.24 * rate))
        peaks = [p for p, _ in self.sim.beating()[0].peaks(0, len(out)) if FROM_S * rate < p < len(out) - len(cut)]
        sums, wanted, weight = np.zeros((len(cut), len(mag))), np.zeros((len(cut), len(mag))), np.zeros(len(mag))
        for peak in peaks:
            good = ~out.bad()[peak + cut][:, mag].any(axis=0)
            one, two = out.data[peak + cut][:, mag], self.ideal[peak + cut][:, mag]
            sums += np.where(good, one - one[pr].mean(axis=0), 0.0)
            wanted += np.where(good, two - two[pr].mean(axis=0), 0.0)
            weight += good
        kept = weight > len(peaks) / 2
        ideal = wanted[:, kept] / weight[kept]
        r = int(np.argmax((ideal**2).sum(axis=1)))
        one, two = sums[r, kept] / weight[kept], ideal[r]
        return float(np.corrcoef(one, two)[0, 1]), float(np.linalg.norm(one - two) / np.linalg.norm(two))


def truth_of(source: str) -> Truth:
    """Return a scene, run to its end."""
    sim = simulation(source)
    chunks = list(sim.chunks())
    clean = Block(data=np.concatenate([c.clean for c in chunks]), first=0, rate=sim.rate, sensors=sim.sensors)
    raw = clean.with_data(np.concatenate([c.data for c in chunks]))
    return Truth(sim, raw, LowPass().start(clean)(clean).data)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--scene", default="", help="only scenes whose key holds this")
    flags = parser.parse_args()
    seconds = flags.seconds
    for seed in (1, 2, 3) if not flags.scene else ():
        scene = truth_of(f"sim:adult?room=light&{FAULTY}&seconds={seconds}&seed={seed}")
        alike, error = scene.at_r(default_chain(scene.sim.sensors, scene.sim.rate, look=scene.look()).chain)
        said = f"light room, bad sensors, seed {seed}"
        print(f"{said:44s} r {alike:.4f} (bar > 0.998), error {error:.1%} (bar < 7 %)", flush=True)
    for source in (source for source in SCENES if flags.scene in source):
        scene = truth_of(f"{source}&seconds={seconds}")
        sensors, rate = scene.sim.sensors, scene.sim.rate
        by_array, by_room = default_chain(sensors, rate), default_chain(sensors, rate, look=scene.look())
        (r_one, one), (r_two, two) = (scene.at_r(choice.chain) for choice in (by_array, by_room))
        told = "the same chain" if by_array.chain == by_room.chain else by_room.reason
        name = source.removeprefix("sim:adult?").removesuffix(REAL).rstrip("&") or "as it is"
        print(f"{name:44s} array {one:.1%} (r {r_one:.4f}), room {two:.1%} (r {r_two:.4f}): {told}", flush=True)


if __name__ == "__main__":
    main()
