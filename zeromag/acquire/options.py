"""Every key of `sim:PRESET?key=value&…`, and reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from urllib.parse import unquote

import numpy as np

from zeromag.physics.room import ROOMS
from zeromag.physics.sensor_models import SENSOR_MODELS

# ruff: noqa: N815 - the unit is part of a key's name


@dataclass(frozen=True, slots=True)
class Options:
    """Every key of a simulation, in the units people type, and its default."""

    seconds: float = np.inf
    seed: int = 1
    rate: float = 1000.0  # Hz
    block: int = 10  # samples

    array: str = ""  # a table of sensors; empty: the grid
    rows: int = 6
    columns: int = 6
    pitch: float = 40.0  # mm
    references: int = 1  # 0: none, 1: four triaxial ones above

    record: str = ""  # WFDB record of a vectorcardiogram
    heart_rate: float = 60.0  # 1/min
    variability: float = 0.03  # of RR
    variation: float = 0.02  # of each beat's strength
    ectopic_every: int = 0
    moment: float = 15.0  # µA·m at R
    t_scale: float = 0.6
    t_turn_deg: float = 0.0
    st_level: float = 0.0  # of R
    qrs_stretch: float = 1.0  # how much longer QRS lasts than in the published vector
    pr_shift_ms: float = 0.0  # how much earlier P comes
    t_shift_ms: float = 0.0  # how much later T comes
    spread_mm: float = 0.0  # 0: one dipole, else three this far apart
    x: float = 10.0  # mm, the heart's place
    y: float = -5.0  # mm
    depth: float = 100.0  # mm below the sensors
    mother: float = 15.0  # µA·m of the mother's R (fetal)
    mother_rate: float = 75.0  # 1/min

    conductor: str = "halfspace"  # halfspace, infinite, sphere, torso
    sphere_mm: float = 150.0  # radius; its top 10 mm below the sensors
    torso: str = ""  # folder of thorax.gii, lungs.gii, blood.gii

    room: str = "plain"  # plain, light, ak3b, cylinder, none
    mains: float = 50.0  # Hz, 0: none
    mains_pT: float = 20.0  # amplitude of the fundamental
    drift_pT: float = 40.0  # rms
    lift_pT: float = 150.0  # largest change
    lift_s: float = 20.0  # when it starts
    tram_nT: float = 0.0  # largest change by a tram line, outside of the room
    motor_pT: float = 0.0  # amplitude of a magnetic dipole that swings nearby
    motor_m: float = 3.0  # how far it is from the array's middle
    motor_Hz: float = 23.0
    residual_nT: float = 0.3
    remnant: str = ""  # table of the fields that real sensors read, one for each sensor
    rail_pT: float = 0.0  # amplitude of a railway at 16.7 Hz
    drives: str = ""  # known coils that play: loop, uniform, onboard, comma between

    tremble_um: float = 0.0  # rms, 6 to 17 Hz
    breath_mm: float = 0.0
    recoil_mm: float = 0.0  # of the chest after each beat
    heart_mm: float = 0.0  # amplitude of the heart's own way to the feet with each breath
    loose: float = 0.0  # how differently single sensors move

    sensor: str = "ideal"  # a published magnetometer, or ideal
    noise: float = 15.0  # fT/√Hz
    corner: float = 3.0  # Hz
    exponent: float = 1.0
    bandwidth: float = 0.0  # Hz of the OPM, 0: an ideal sensor that no residual field changes
    loop_gain: float = 0.0  # of its field feedback, 0: open loop
    range_nT: float = 5.0  # ±
    bits: int = 24
    recovery_ms: float = 0.0  # how long a railed sensor stays railed
    rezero_s: float = 0.0  # time between two nullings, 0: never; the last second of it is lost

    gain_error: float = 0.0  # standard deviation, relative
    tilt_deg: float = 0.0  # rms
    position_mm: float = 0.0  # standard deviation per coordinate
    crosstalk: float = 0.0  # of the nearest neighbour
    dead: str = ""  # sensor names, comma between
    stuck: str = ""
    jumping: str = ""
    noisy: str = ""
    clipping: str = ""
    fault_s: float = 0.0  # when they begin to fail
    fault_end_s: float = np.inf  # when they are good again

    def __post_init__(self) -> None:
        for name, low, high in LIMITS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be {low:g} to {high:g}, got {value:g}")
        if not (self.mains == 0 or 10 <= self.mains <= 1000):
            raise ValueError(f"mains must be 0 or a line frequency of 10 to 1000 Hz, got {self.mains:g}")
        if self.rows * self.columns > 65536:
            raise ValueError(f"rows x columns must be at most 65536, got {self.rows} x {self.columns}")


LIMITS = (
    ("bits", 8, 32),
    ("range_nT", 1e-3, 1e6),
    ("pitch", 1, 1000),
    ("x", -1000, 1000),
    ("y", -1000, 1000),
    ("depth", 20, 1000),
    ("t_turn_deg", -360, 360),
    ("lift_s", 0, 1e9),
    ("moment", 0, 1000),
    ("mother", 0, 1000),
    ("t_scale", 0, 5),
    ("st_level", -1, 1),
    ("qrs_stretch", 0.2, 5),
    ("pr_shift_ms", -100, 200),
    ("t_shift_ms", -200, 300),
    ("spread_mm", 0, 100),
    ("mains_pT", 0, 1e9),
    ("drift_pT", 0, 1e9),
    ("lift_pT", 0, 1e9),
    ("rail_pT", 0, 1e9),
    ("tram_nT", 0, 1e6),
    ("motor_pT", 0, 1e9),
    ("motor_m", 0.2, 1e4),
    ("motor_Hz", 0, 1e5),
    ("residual_nT", 0, 1e6),
    ("recovery_ms", 0, 10_000),
    ("rezero_s", 0, 1e6),
    ("bandwidth", 0, 1e6),
    ("loop_gain", 0, 1e6),
    ("sphere_mm", 50, 1e6),
)


def parsed(defaults: Options, query: str) -> Options:
    """Return the options with every key=value of the query set.

    A named `room` or `sensor` sets its own figures first; keys beside it change single ones.

    Raises
    ------
    ValueError
        If a key is not known (the nearest known one is named) or a value is impossible.
    """
    kinds = {field.name: type(getattr(defaults, field.name)) for field in fields(defaults)}
    values: dict[str, object] = {}
    for pair in filter(None, query.split("&")):
        key, equals, text = pair.partition("=")
        if key not in kinds:
            raise ValueError(f"no key {key!r}{nearest(key, kinds)}")
        if not equals:
            raise ValueError(f"{key} needs a value, as in {key}={getattr(defaults, key) or '…'}")
        values[key] = _value(kinds[key], key, unquote(text))
    return replace(defaults, **{**_figures(values), **values})  # type: ignore[arg-type]  # each value has its field's type


def _value(kind: type, key: str, text: str) -> object:
    """Return the text as a number of this kind, or as it is."""
    try:
        value = kind(text)
    except ValueError as error:
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"{key} must be {wanted}, got {text!r}") from error
    if kind is float and np.isnan(value):
        raise ValueError(f"{key} must be a number, got {text!r}")
    return value


def _figures(values: dict[str, object]) -> dict[str, object]:
    """Return what the named room and sensor set."""
    figures: dict[str, object] = {}
    known = {field.name for field in fields(Options)}
    for key, table in (("room", ROOMS), ("sensor", SENSOR_MODELS)):
        if key in values:
            name = str(values[key])
            if name not in table:
                raise ValueError(f"no {key} {name!r}{nearest(name, table)}; there are {', '.join(table)}")
            chosen = table[name]
            figures |= {field.name: getattr(chosen, field.name) for field in fields(chosen) if field.name in known}
    return figures


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'X'` for the known name that is most like this one."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f", did you mean {close[0]!r}" if close and name else ""
