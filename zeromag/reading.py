"""What the averaged beats say: maps, dipoles, parameters, and whether the scan is usable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.mapper import Mapper


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
    try:
        maps = {average.kind: mapper.map_average(average) for average in averages}
    except ValueError as error:
        return Reading(no_map=f"no map: {error}")
    return Reading(maps=maps)
