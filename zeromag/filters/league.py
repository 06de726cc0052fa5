"""The league: chains side by side on one stream, ranked by the map that they leave of the heart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.calibration import Calibration
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.choose import default_chain
from zeromag.filters.gradiometer import Gradiometer
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.injection import Injection
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.known_heart import heart_size
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import KEEP, HeartCost, measure
from zeromag.filters.nlms import Nlms
from zeromag.filters.projection import SignalSpaceProjection
from zeromag.filters.reference_regression import ReferenceRegression
from zeromag.filters.rls import Rls
from zeromag.filters.separation import SignalSpaceSeparation
from zeromag.filters.shielding import Shielding, quietest
from zeromag.filters.temporal_separation import TemporalSeparation
from zeromag.filters.zapline import Zapline
from zeromag.pipeline import Chain, Tap
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

ADAPTIVE = (ReferenceRegression, Rls, Nlms)
SAME = 0.03  # of a map: so near to the best the default stays, which also shields from what has not happened yet


@dataclass(frozen=True, slots=True)
class Standing:
    """How one chain did; `why` is empty unless it could not run on this array."""

    name: str
    cost: HeartCost
    floor: float  # T/√Hz behind the chain, 10 to 40 Hz, between the beats
    shielding: dict[str, float]  # dB per band, of the whole chain
    load: float  # s of computing per s of stream
    error: float  # expected relative error of one beat's map at R: what the chain bends, and the noise it leaves
    chain: Chain
    why: str = ""

    @property
    def keeps(self) -> bool:
        """Return whether at least 90 % of the heart is left, or no heart can be reckoned with."""
        return not self.why and (bool(np.isnan(self.cost.heart_kept)) or self.cost.heart_kept >= KEEP)


def contenders(
    sensors: SensorArray, rate: float, *, line: float | None = None, low_pass: float | None = 100.0
) -> dict[str, Chain]:
    """Return the chains that compete: the default, and each way of removing interference in its place."""
    rivals: dict[str, Stage | None] = {
        "nothing": None,
        "homogeneous field 1": HomogeneousField(1),
        "homogeneous field 2": HomogeneousField(2),
        "joint fit 6": JointFit(rank=6),
        "joint fit 10": JointFit(rank=10),
        "joint fit 15": JointFit(rank=15),
        "gradiometer 1": Gradiometer(1),
        "gradiometer 2": Gradiometer(2),
        "regression": ReferenceRegression(),
        "RLS": Rls(),
        "NLMS": Nlms(),
        "projection": SignalSpaceProjection(),
        "separation": SignalSpaceSeparation(damping=0.01),
        "temporal separation": TemporalSeparation(damping=0.01),
    }
    mains: tuple[Stage, ...] = (Mains(line),) if (line or 60.0) < rate / 2 else ()
    smooth: tuple[Stage, ...] = (LowPass(low_pass),) if low_pass is not None else ()
    chains = {"default": default_chain(sensors, rate, line=line, low_pass=low_pass).chain}
    if mains:
        shared = default_chain(sensors, rate, line=line, low_pass=low_pass).chain.stages
        zap = tuple(Zapline(line or 50.0) if isinstance(stage, Mains) else stage for stage in shared)
        chains["default, Zapline"] = Chain(zap)
    for name, stage in rivals.items():
        own = (stage,) if stage is not None else ()
        # an adaptive filter that sees the line spends itself on it, and lets noise of the references in for that
        order = (*mains, *own, *smooth) if isinstance(stage, ADAPTIVE) else (*own, *mains, *smooth)
        chains[name] = Chain((MaskBad(), *order))
    return chains


def league(
    blocks: Iterable[Block],
    chains: Mapping[str, Chain] | None = None,
    *,
    line: float | None = None,
    low_pass: float | None = 100.0,
    calibration: Calibration | None = None,
) -> list[Standing]:
    """Run chains side by side over one stream and return them ranked, the best first.

    With a calibration each of them runs behind it, though it is not in the chain that is returned. All are judged on
    the same windows of the stream, the third that is quietest behind all of them together.

    First come those that keep 90 % of the heart, by the error that one beat's map at R would have; then those that
    do not; last those that this array cannot carry, with the reason.

    Raises
    ------
    ValueError
        If there is no block.
    """
    runners: list[_Runner] = []
    for block in blocks:
        if not runners:
            calibrate = Calibrate(calibration) if calibration else None
            sensors = calibrate.array(block.sensors) if calibrate else block.sensors
            known = chains or contenders(sensors, block.rate, line=line, low_pass=low_pass)
            runners = [_Runner(name, chain, block, line or 50.0, calibrate) for name, chain in known.items()]
        for runner in runners:
            runner(block)
    if not runners:
        raise ValueError("a league needs at least one block, got none")
    loudness = [runner.meter.loudness() for runner in runners if not runner.why]
    alike = loudness and len(loudness[0]) and len({len(one) for one in loudness}) == 1
    windows = quietest(np.array(loudness)) if alike else None
    table = [runner.standing(windows) for runner in runners]
    return sorted(
        table, key=lambda one: (bool(one.why), not one.keeps, one.error if one.error == one.error else one.floor)
    )


def winner(standings: Sequence[Standing]) -> tuple[Standing, str]:
    """Return which chain of a league to use on this array in this room, and why, in one line.

    Raises
    ------
    ValueError
        If no chain keeps 90 % of the heart.
    """
    able = [one for one in standings if one.keeps]
    if not able:
        raise ValueError(f"none of {len(standings)} chains keeps {KEEP:.0%} of the heart on this array")
    best = able[0]
    default = next((one for one in able if one.name == "default"), best)
    chosen = best
    if np.isnan(best.error):
        chosen, why = default, "no heart volume lies below this array, so no map's error can be told"
    elif best is default:
        why = "the least error of all"
    elif default.error - best.error < SAME:
        chosen = default
        why = f"{best.name!r} comes to {best.error:.1%}, not better by {SAME:.0%}"
    else:
        why = f"the least error of all; 'default' comes to {default.error:.1%}"
    if default is best and best.name != "default":
        why = "the least error of all; the default takes too much of the heart here"
    band, decibels = next(iter(chosen.shielding.items()), ("1-40 Hz", float("nan")))
    cost = chosen.cost
    return chosen, (
        f"{chosen.name!r}: one beat's map at R within {chosen.error:.1%}, {cost.heart_kept:.0%} of the heart kept, "
        f"{decibels:.0f} dB at {band}, {1e3 * cost.delay_s:.1f} ms late; {why}"
    )


class _Runner:
    """One chain in the race."""

    def __init__(self, name: str, chain: Chain, head: Block, line: float, calibrate: Calibrate | None) -> None:
        self._name, self._chain, self._rate = name, chain, head.rate
        self._sensors = calibrate.array(head.sensors) if calibrate else head.sensors
        self._before = 2 if calibrate else 0  # the tap that the chain proper begins with
        whole = Chain((chain.stages[0], calibrate, *chain.stages[1:])) if calibrate else chain
        self.why = ""
        self.meter = Shielding(line)
        self._injection = Injection(whole, head)
        self._seconds = self._stream = 0.0
        self._taps: Callable[[Block], Tap] = whole.tapped()
        try:
            whole.warm(head.sensors, head.rate)
        except ValueError as error:  # this array cannot carry a stage of the chain
            self.why = str(error)

    def __call__(self, block: Block) -> None:
        if self.why:
            return
        begin = time.thread_time()
        taps = self._taps(block)
        self._seconds += time.thread_time() - begin
        self._stream += len(block) / block.rate
        # the mask belongs to both sides, or the raw side would hold what the chain left out
        raw = taps[self._before].with_data(taps[self._before].data, mask=taps[-1].bad())
        self.meter(raw, taps[-1])
        self._injection(taps)

    def standing(self, windows: NDArray[np.int64] | None) -> Standing:
        """Return how the chain did."""
        nan = float("nan")
        if self.why:
            return Standing(self._name, HeartCost(nan, nan, nan, nan), nan, {}, nan, nan, self._chain, self.why)
        model = measure(self._chain, self._sensors, self._rate)
        cost = model
        if not np.isnan(model.heart_kept):  # the stream's own word counts: a learned filter is what it has learned
            cost = self._injection.cost(noise_gain=model.noise_gain) or model
            cost = replace(cost, delay_s=model.delay_s)
        floor, rms = self.meter.floor(windows)
        load = self._seconds / self._stream
        return Standing(
            self._name, cost, floor, self.meter.result(windows=windows), load, self._error(cost, rms), self._chain
        )

    def _error(self, cost: HeartCost, rms: float) -> float:
        """Return the relative error of a map: bent by the chain, and noise (T rms) beside a heart of 10 µA·m."""
        size = heart_size(self._sensors)
        return float("nan") if size is None else float(np.hypot(cost.map_error, rms / size))
