"""Stages as plain words and back, so that a session file can name any chain: `{stage = "JointFit", rank = 10}`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from zeromag.filters.band_pass import BandPass
from zeromag.filters.beat_baseline import BeatBaseline
from zeromag.filters.despike import Despike
from zeromag.filters.fir import Fir
from zeromag.filters.gradiometer import Gradiometer
from zeromag.filters.high_pass import HighPass
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.multipole import Multipole
from zeromag.filters.nlms import Nlms
from zeromag.filters.notch import Notch
from zeromag.filters.projection import SignalSpaceProjection
from zeromag.filters.reference_regression import ReferenceRegression
from zeromag.filters.rls import Rls
from zeromag.filters.separation import SignalSpaceSeparation
from zeromag.filters.temporal_separation import TemporalSeparation
from zeromag.filters.zapline import Zapline
from zeromag.stage import Stage

# all that keep a block's rate: the beats and maps behind a chain are those of the stream before it
KNOWN: dict[str, type[Stage]] = {
    kind.__name__: kind
    for kind in (
        BandPass, BeatBaseline, Despike, Fir, Gradiometer, HighPass, HomogeneousField, JointFit, LowPass, Mains,
        MaskBad, Multipole, Nlms, Notch, ReferenceRegression, Rls, SignalSpaceProjection, SignalSpaceSeparation,
        TemporalSeparation, Zapline,
    )
}  # fmt: skip


def describe(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    """Return each stage as its name and the settings that differ from the defaults.

    Raises
    ------
    ValueError
        If a stage has no name here, or a setting that no session file can hold.
    """
    return [_described(stage) for stage in stages]


def stages_of(described: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages that `describe` told of.

    Raises
    ------
    ValueError
        If a name or setting is not known, or a setting is impossible; one sentence that names the nearest known one.
    """
    return tuple(_stage(words) for words in described)


def in_words(stages: Iterable[Stage]) -> str:
    """Return a chain for people: `MaskBad → JointFit(rank=6) → Mains → LowPass`."""
    told = []
    for stage in stages:
        name, *settings = (f"{key}={_short(value)}" if key != "stage" else value for key, value in _told(stage).items())
        told.append(f"{name}({', '.join(settings)})" if settings else name)
    return " → ".join(told)


def _short(value: object) -> str:
    return f"{len(value)} given" if isinstance(value, tuple | list) and len(value) > 3 else str(value)


def _told(stage: Stage) -> dict[str, Any]:
    """Return a stage's name and the settings that differ from the defaults, as they are."""
    told: dict[str, Any] = {"stage": type(stage).__name__}
    if not dataclasses.is_dataclass(stage):
        return told
    for field in dataclasses.fields(stage):
        value = getattr(stage, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if value != default:
            told[field.name] = value
    return told


def _described(stage: Stage) -> dict[str, Any]:
    told = _told(stage)
    if told["stage"] not in KNOWN:
        raise ValueError(f"a session file cannot name a stage {told['stage']}; it knows {', '.join(KNOWN)}")
    for key, value in told.items():
        if not isinstance(value, int | float | str | tuple):
            raise ValueError(f"a session file cannot hold {key} of {told['stage']}, a {type(value).__name__}")
    return {key: _thawed(value) for key, value in told.items()}


def _stage(words: Mapping[str, Any]) -> Stage:
    name = words.get("stage")
    if not isinstance(name, str) or name not in KNOWN:
        near = difflib.get_close_matches(str(name), KNOWN, n=1, cutoff=0.0)[0]
        raise ValueError(f"there is no stage {name!r}; the nearest one is {near}")
    kind = KNOWN[name]
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    settings = {key: _frozen(value) for key, value in words.items() if key != "stage"}
    for key in settings:
        if key not in fields:
            near = (difflib.get_close_matches(key, fields, n=1, cutoff=0.0) or ["none at all"])[0]
            raise ValueError(f"{name} has no setting {key!r}; the nearest one is {near}")
    try:
        return kind(**settings)
    except TypeError as error:  # a word where a number belongs
        raise ValueError(f"{name} cannot be made of {settings}: {error}") from error


def _thawed(value: Any) -> Any:
    """Return tuples as the lists that TOML and JSON hold."""
    return [_thawed(part) for part in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    """Return TOML's lists as the tuples that frozen settings hold."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list | tuple) else value
