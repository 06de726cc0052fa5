"""What the averaged beats say: maps, dipoles, parameters, and whether the scan is usable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat, own
from zeromag.mapping.dipole import Dipole, moving_dipole
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.gate import Gate, Usable
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.parameters import Parameter, parameters

DIPOLE_STEP = 0.002  # s between the dipoles of an averaged beat


@dataclass(frozen=True, slots=True)
class Reading:
    """Frozen answers; empty where the array or the beats do not allow them."""

    usable: Usable
    parameters: dict[str, Parameter] = field(default_factory=dict)
    maps: dict[str, FieldMap] = field(default_factory=dict)
    no_map: str = ""
    dipoles: tuple[Dipole, ...] = ()
    channel_qt: Mapping[str, float] = field(default_factory=dict)  # s, of the channels whose T wave tells one


def read_beats(
    averages: Sequence[Average],
    beats: Sequence[Beat],
    seconds: float,
    mapper: Mapper,
    channels: Mapping[str, Mapping[str, str]] | None = None,
) -> Reading:
    """Return what the averages of `seconds` of stream say; parameters and dipoles are the normal beat's."""
    beats = own(beats)
    normal = next((average for average in averages if average.main), None)
    if normal is None:
        return Reading(
            Gate()(averages, beats, {}, seconds, mapper, channels=channels), no_map="no normal heartbeat was found"
        )
    found = parameters(normal, beats, mapper)
    usable = Gate()(averages, beats, found, seconds, mapper, channels=channels)
    if why := mapper.why_not(normal.sensors, normal.good):
        return Reading(usable, found, no_map=why, channel_qt=_channel_qt(normal, mapper))
    maps = {
        average.kind: mapper.map_average(average)
        for average in averages
        if not mapper.why_not(average.sensors, average.good)
    }
    return Reading(usable, found, maps, dipoles=_dipoles(normal), channel_qt=_channel_qt(normal, mapper))


def _channel_qt(normal: Average, mapper: Mapper) -> dict[str, float]:
    qt = Measures(normal, mapper).channels_qt(normal.wave)
    named = zip(normal.sensors.names, qt.tolist(), strict=True)
    return {name: one for name, one in named if math.isfinite(one)}


def _dipoles(normal: Average) -> tuple[Dipole, ...]:
    step = float(normal.time[1] - normal.time[0])
    try:
        return moving_dipole(normal, every=max(1, round(DIPOLE_STEP / step)))
    except ValueError:
        return ()  # a map needs four channels, a dipole six: the report says how many are good
