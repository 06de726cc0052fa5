"""What one run over a stream found: everything that its outputs are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zeromag.event import Event
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat, own
from zeromag.mapping.dipole import Dipole
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.gate import Usable
from zeromag.mapping.map_components import Components
from zeromag.mapping.parameters import Parameter
from zeromag.scan.sources import Sources
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True)
class Outcome:
    """Frozen result of a scan; the dictionaries are those of `summary.json`."""

    sensors: SensorArray
    rate: float  # Hz
    first: int  # stream index of the first sample
    stop: int  # and after the last, gaps counted
    events: tuple[Event, ...]  # gaps, channels, mains, marks; beats are apart
    beats: tuple[Beat, ...]
    averages: tuple[Average, ...]  # normal first
    maps: dict[str, FieldMap]  # per class, over the averaged beat
    components: Components | None  # Bx and By of the scan's own heart, where the array is triaxial
    dipoles: tuple[Dipole, ...]  # along the normal beat
    sources: Sources  # in the heart, of the scan's own average
    no_map: str  # why there is no map, empty when there is one
    channels: dict[str, dict[str, str]]
    heart_rate: dict[str, Any] | None
    parameters: dict[str, Parameter]
    usable: Usable
    cleaning: list[dict[str, Any]]
    chain_reason: str
    channel_qt: Mapping[str, float] = field(default_factory=dict)  # s, per channel that tells one: the QT map
    notes: tuple[str, ...] = ()  # of the rhythm, in sentences: pauses, irregularity

    @property
    def gaps(self) -> list[Event]:
        """The spans that are missing in the stream."""
        return [event for event in self.events if event.kind == "gap"]

    def in_words(self) -> str:
        """Return the run in one phrase, for the end of a command."""
        counted = sum(not beat.why for beat in own(self.beats))
        if not counted or self.heart_rate is None:
            return "no heartbeat found"
        beats = f"{counted} beats, {self.heart_rate['value']:.1f} /min"
        return f"{beats}, no map ({self.no_map})" if self.no_map else beats
