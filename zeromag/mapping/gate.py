"""Is this scan usable: yes, not yet (with the seconds still needed) or no, from the precision reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.dipole import DipoleFit
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.notes import silence
from zeromag.mapping.parameters import Parameter
from zeromag.physics.frame import array_frame

# An average's noise falls with the root of the time, and a parameter's interval at first faster, since the poles of a
# noisy map jump: the time grows with this power of what is still too wide, not with its square. `benchmarks/gate.py`
# prints how well that foretells.
FALLS = 1.6
SLOWEST = 15.0  # 1/min, below which a few beats are no heart
BESIDE = 0.7  # of half the array, from which a heart lies beside it
EXPLAINED = 0.9  # of the field by one dipole, for its place to be believed
DEEPEST = 0.15  # m below the sensors, beyond which a dipole that does not explain the field is no heart below them
PLAIN = 3.0  # times the noise that the unexplained part must be, for its depth to be held against it
EDGE = {"s": (1e3, " ms"), "m": (1e3, " mm"), "deg": (1.0, "°"), "1": (1.0, "")}  # units for people
ASIDE = 0.5  # of half the array, from which the middle of the field's power shows the side where no dipole does
SLANT = 0.5  # of the larger way, from which the smaller one is said too
NAMED = 3  # sensors at most whose trouble is told


class Usable(TypedDict):
    """The gate's answer, as it stands in `summary.json`."""

    answer: Literal["yes", "not yet", "no"]
    reasons: list[str]
    seconds_needed: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Settings: how precise a scan must be, as the half width of each 95 % interval."""

    tolerances: Mapping[str, float] = field(
        default_factory=lambda: {
            "map_angle_R": 5.0,  # deg
            "map_angle_T": 5.0,
            "pole_distance_R": 0.005,  # m
            "pole_distance_T": 0.005,
            "pole_ratio_T": 0.1,
            "current_angle_T": 5.0,
            "qt": 0.010,  # s
        }
    )
    fewest: int = 10  # beats of the usual class
    heartless: float = 17.0  # s after which a stream without a beat has no heart: looked at every 2 s, said within 20
    longest: float = 1800.0  # s still needed beyond which the answer is no

    def __call__(
        self,
        averages: Sequence[Average],
        beats: Sequence[Beat],
        parameters: Mapping[str, Parameter],
        seconds: float,
        mapper: Mapper | None = None,
        *,
        silent: float = 0.0,
        channels: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Usable:
        """Return the answer after `seconds` of recording, of which the last `silent` had no beat.

        `channels` tells each sensor's status, as in `summary.json`: those in trouble are named where it matters.
        """
        found = self._answer(averages, beats, parameters, seconds, mapper or Mapper())
        if found["answer"] == "yes" and not silence(silent):
            return found
        reasons = [one for one in [*found["reasons"], silence(silent), *troubled(channels or {})] if one]
        answer = "not yet" if found["answer"] == "yes" else found["answer"]
        return Usable(answer=answer, reasons=reasons, seconds_needed=found["seconds_needed"])

    def _answer(
        self,
        averages: Sequence[Average],
        beats: Sequence[Beat],
        parameters: Mapping[str, Parameter],
        seconds: float,
        mapper: Mapper,
    ) -> Usable:
        usual = next((average for average in averages if average.main), None)
        few = len(beats) < min(self.fewest, seconds * SLOWEST / 60)
        if usual is None or not beats or (few and seconds >= self.heartless):
            return self._no_heart(seconds, len(beats))
        reasons: list[str] = []
        if why := mapper.why_not(usual.sensors, usual.good):
            return Usable(answer="no", reasons=[why], seconds_needed=0.0)
        reasons += [one] if (one := beside(usual)) else pole_remedies(usual, mapper)
        if reasons:
            return Usable(answer="no", reasons=reasons, seconds_needed=0.0)
        needed = 0.0
        if usual.nave < self.fewest:
            needed = seconds * (self.fewest / usual.nave - 1)
            reasons.append(f"{usual.nave} beats of {self.fewest}")
        for name, tolerance in self.tolerances.items():
            more, reason = self._precision(name, tolerance, parameters.get(name), seconds)
            if reason:
                needed = max(needed, more)
                reasons.append(reason)
        if not reasons:
            return Usable(answer="yes", reasons=[], seconds_needed=0.0)
        if needed > self.longest:
            return Usable(answer="no", reasons=[*reasons, _worst_channel(usual)], seconds_needed=0.0)
        return Usable(answer="not yet", reasons=reasons, seconds_needed=float(np.ceil(needed)))

    def _no_heart(self, seconds: float, beats: int) -> Usable:
        if seconds >= self.heartless:
            seen = f"only {beats} beats" if beats > 1 else "one beat" if beats else "no heartbeat"
            reason = f"{seen} in {seconds:.0f} s: check that the array lies over the chest and the sensors run"
            return Usable(answer="no", reasons=[reason], seconds_needed=0.0)
        needed = float(np.ceil(self.heartless - seconds))
        return Usable(answer="not yet", reasons=["no heartbeat so far"], seconds_needed=needed)

    def _precision(self, name: str, tolerance: float, found: Parameter | None, seconds: float) -> tuple[float, str]:
        """Return the seconds still needed for one parameter and why; nothing when it is precise enough."""
        if found is None or found["low"] is None or found["high"] is None:
            return seconds, f"{_said(name)} cannot be told"  # by less than as much again, nothing would change
        half = (found["high"] - found["low"]) / 2
        if half <= tolerance:
            return 0.0, ""
        more = seconds * ((half / tolerance) ** FALLS - 1)
        factor, unit = EDGE.get(found["unit"], (1.0, f" {found['unit']}"))
        reached, wanted = (f"±{value * factor:.3g}{unit}" for value in (half, tolerance))
        return more, f"{_said(name)} is known to {reached}, wanted {wanted}"


def _said(name: str) -> str:
    """Return a parameter's name for people."""
    words, peak = (name[:-2], f" at {name[-1]}") if name.endswith(("_R", "_T")) else (name, "")
    return ("QT" if words == "qt" else words.replace("_", " ")) + peak


def troubled(channels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what is wrong with the sensors that are not good: the first few by name, the others by number."""
    bad = [(name, one) for name, one in channels.items() if one.get("status", "good") != "good"]
    said = [f"sensor {name} is {one['status']}" + (f": {one['why']}" if one.get("why") else "") for name, one in bad]
    return said[:NAMED] + ([f"and {len(bad) - NAMED} more sensors"] if len(bad) > NAMED else [])


def beside(average: Average) -> str:
    """Return where to move the array when the heart is not below it, told by the place of one dipole at R.

    Cleaning that keeps a heart below the array bends the field of one beside it, so that both poles may seem to be
    inside. Where the dipole does not explain the field, the middle of the field's power shows the side, if any does.
    """
    try:
        fitter = DipoleFit().of(average.sensors, average.good, np.full(len(average.good), 1e-13))
    except ValueError:
        return ""  # too few channels for a dipole
    reading = average.wave[average.at(0.0)]
    found = fitter(reading)
    places = array_frame(average.sensors).inside(average.sensors.positions[fitter.good])[:, :2]
    middle, half = (places.max(axis=0) + places.min(axis=0)) / 2, float(np.ptp(places, axis=0).max()) / 2
    power = reading[fitter.good] ** 2
    believed = found.goodness >= EXPLAINED
    place = np.array(found.position[:2]) if believed else power @ places / power.sum()
    across, up = (place - middle).tolist()
    if max(abs(across), abs(up)) > (BESIDE if believed else ASIDE) * half:
        return f"move the array 3 cm towards {_side(across, up)}: the heart lies beside it"
    left = np.sqrt((1 - found.goodness) * power.sum())
    plain = left > PLAIN * np.linalg.norm(average.noise[fitter.good])
    deep = plain and -found.position[2] > DEEPEST
    if believed or (not deep and float(np.abs(np.array(found.position[:2]) - middle).max()) <= BESIDE * half):
        return ""
    return "move the array until it lies over the heart: the field is not that of a heart below it"


def _side(across: float, up: float) -> str:
    sides = [
        (abs(across), "the patient's left" if across > 0 else "the patient's right"),
        (abs(up), "the head" if up > 0 else "the feet"),
    ]
    (most, first), (other, second) = sorted(sides, reverse=True)
    return f"{first} and {second}" if other > SLANT * most else first


def pole_remedies(average: Average, mapper: Mapper) -> list[str]:
    """Return, for each pole that the array does not see, where to move the array."""
    measures = Measures(average, mapper)
    marks = measures.marks(average.wave)
    remedies: list[str] = []
    for peak, seconds in (("R", marks.r_peak), ("T", marks.t_peak)):
        pair = measures.poles_at(average.wave, seconds)
        if pair is None or measures.operator is None:
            continue
        x, y = measures.operator.grid.x, measures.operator.grid.y
        middle = float(x.mean()), float(y.mean())
        for sign, place, inside in (
            ("positive", pair.plus, pair.plus_inside),
            ("negative", pair.minus, pair.minus_inside),
        ):
            if not inside:
                across, up = place[0] - middle[0], place[1] - middle[1]
                towards = _side(across, up)
                remedies.append(f"move the array 3 cm towards {towards}: the {sign} pole of {peak} is outside")
    return remedies


def _worst_channel(average: Average) -> str:
    noise = np.where(average.good, average.noise, 0.0)
    worst = int(np.argmax(noise))
    typical = float(np.median(average.noise[average.good]))
    return (
        f"noise is {1e15 * typical * np.sqrt(average.nave):.0f} fT a beat, most on {average.sensors.names[worst]}: "
        "look for interference or a sensor that does not run well"
    )
