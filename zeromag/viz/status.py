"""What the processing says about itself twice a second, checked on arrival."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval."""

    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel's state and the reason for it."""

    status: str = "good"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What one cleaning step took away and what it cost."""

    stage: str
    shielding_db: dict[str, float | None] = field(default_factory=dict)
    heart_kept: float | None = None
    map_correlation: float | None = None
    noise_gain: float | None = None
    map_angle: float | None = None  # degrees that maps turn
    delay_s: float | None = None
    injected: dict[str, float | None] | None = None  # of a known heart that ran beside this very stream


@dataclass(frozen=True, slots=True)
class Usable:
    """The evaluability gate's answer."""

    answer: str = "not yet"
    reasons: list[str] = field(default_factory=list)
    seconds_needed: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The numbers around the pictures; whatever a stream leaves out is not known."""

    samples: int = 0
    seconds: float = 0.0
    lost: int = 0
    gaps: int = 0
    heart_rate: Figure | None = None
    beats: dict[str, int] = field(default_factory=dict)
    mains_hz: float | None = None
    channels: dict[str, Channel] = field(default_factory=dict)
    cleaning: list[Cleaning] = field(default_factory=list)
    chain_reason: str = ""
    usable: Usable = field(default_factory=Usable)
    parameters: dict[str, Figure] = field(default_factory=dict)
    recording: bool = False
    source: str = ""
    upstream: str = ""  # endpoint of the acquisition, as the processing reaches it
    simulated: bool = False

    @property
    def of_file(self) -> bool:
        """Whether the samples come out of a file: a source that lives is written `kind:…`."""
        return bool(self.source) and re.match(r"[a-z][a-z0-9+.-]+:", self.source) is None

    def bad(self) -> set[str]:
        """Return the names of the channels that must not be used."""
        return {name for name, channel in self.channels.items() if channel.status != "good"}


def read_status(fields: Mapping[str, object]) -> Status:
    """Return the checked status; fields this version does not know are ignored.

    Raises
    ------
    ValueError
        If a field does not hold what it should.
    """
    told = msgspec.convert(fields, Status, strict=False)
    return replace(told, cleaning=[_known(step) for step in told.cleaning])


def _known(step: Cleaning) -> Cleaning:
    """Return a step without what could not be reckoned: of an array without a map it comes as no number."""
    return replace(
        step,
        heart_kept=_number(step.heart_kept),
        map_correlation=_number(step.map_correlation),
        noise_gain=_number(step.noise_gain),
        map_angle=_number(step.map_angle),
        delay_s=_number(step.delay_s),
        injected=None if step.injected is None else {name: _number(value) for name, value in step.injected.items()},
    )


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
