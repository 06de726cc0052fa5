"""Is this scan usable: yes, not yet (with the seconds still needed) or no, from the precision reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.parameters import Parameter

ASYSTOLE = 10.0  # s without a beat that are said


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
    heartless: float = 20.0  # s after which a stream without a beat has no heart
    longest: float = 1800.0  # s still needed beyond which the answer is no

    def __call__(
        self,
        averages: Sequence[Average],
        beats: Sequence[Beat],
        parameters: Mapping[str, Parameter],
        seconds: float,
        mapper: Mapper | None = None,
    ) -> Usable:
        """Return the answer after `seconds` of recording."""
        usual = next((average for average in averages if average.main), None)
        if usual is None or not beats:
            return self._no_heart(seconds)
        mapper = mapper or Mapper()
        reasons: list[str] = []
        if why := mapper.why_not(usual.sensors, usual.good):
            return Usable(answer="no", reasons=[why], seconds_needed=0.0)
        reasons += pole_remedies(usual, mapper)
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

    def _no_heart(self, seconds: float) -> Usable:
        if seconds >= self.heartless:
            reason = f"no heartbeat in {seconds:.0f} s: check that the array lies over the chest and the sensors run"
            return Usable(answer="no", reasons=[reason], seconds_needed=0.0)
        needed = float(np.ceil(self.heartless - seconds))
        return Usable(answer="not yet", reasons=["no heartbeat so far"], seconds_needed=needed)

    def _precision(self, name: str, tolerance: float, found: Parameter | None, seconds: float) -> tuple[float, str]:
        """Return the seconds still needed for one parameter and why; nothing when it is precise enough."""
        if found is None or found["low"] is None or found["high"] is None:
            return 0.0, f"{name} cannot be told"
        half = (found["high"] - found["low"]) / 2
        if half <= tolerance:
            return 0.0, ""
        # the average's noise falls with the root of the time, and the interval with it
        more = seconds * ((half / tolerance) ** 2 - 1)
        return more, f"{name} is known to ±{half:.3g}, wanted ±{tolerance:.3g} {found['unit']}"


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
                side = "the patient's left" if across > 0 else "the patient's right"
                towards = side if abs(across) > abs(up) else ("the head" if up > 0 else "the feet")
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
