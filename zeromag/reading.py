"""What the averaged beats say: maps, dipoles, parameters, and whether the scan is usable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.mapper import Mapper, map_average

MAP_STEP = 0.002  # s between the maps of an averaged beat


@dataclass(frozen=True, slots=True)
class Reading:
    """Frozen answers; empty where the array or the beats do not allow them."""

    maps: dict[str, FieldMap] = field(default_factory=dict)
    no_map: str = ""
    dipoles: tuple[Any, ...] = ()
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    usable: dict[str, Any] = field(default_factory=lambda: {"answer": "no", "reasons": [], "seconds_needed": 0})


def read_beat(averages: Sequence[Average], beats: Sequence[Beat], mapper: Mapper) -> Reading:
    """Return what the averages of a scan say."""
    del beats
    if not averages:
        return Reading(no_map="no map: no heartbeat was found")
    rate = 1 / (averages[0].time[1] - averages[0].time[0])
    every = max(1, round(MAP_STEP * rate))
    try:
        maps = {average.kind: map_average(average, mapper, every) for average in averages}
    except InputError as error:
        return Reading(no_map=f"no map: {error}")
    return Reading(maps=maps)
