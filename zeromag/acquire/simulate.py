"""From `sim:PRESET?key=value&…` to a simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from urllib.parse import unquote

import numpy as np

from zeromag.acquire.simulation import Simulation
from zeromag.acquire.vcg import read_vcg
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, read_array, with_references
from zeromag.physics.drift import Drift, Residual
from zeromag.physics.faults import Faults
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart import Heart, SameniHeart
from zeromag.physics.lift import Lift
from zeromag.physics.mains import Mains
from zeromag.physics.noise import SensorNoise
from zeromag.physics.opm import HERTZ_PER_TESLA, Opm
from zeromag.physics.outside import Interference
from zeromag.physics.rhythm import Rhythm
from zeromag.physics.sameni import FETAL
from zeromag.physics.sensor_errors import SensorErrors
from zeromag.sensors import SensorArray

__all__ = ["PRESETS", "Options", "Simulation", "simulation"]

MOTHER = (0.02, 0.30, -0.13)  # m, a mother's heart above an array over the womb


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
    x: float = 10.0  # mm, the heart's place
    y: float = -5.0  # mm
    depth: float = 100.0  # mm below the sensors
    mother: float = 15.0  # µA·m of the mother's R (fetal)
    mother_rate: float = 75.0  # 1/min
    noise: float = 15.0  # fT/√Hz
    corner: float = 3.0  # Hz
    exponent: float = 1.0
    mains: float = 50.0  # Hz, 0: none
    mains_pT: float = 20.0  # amplitude of the fundamental  # noqa: N815 - the unit is the name
    drift_pT: float = 40.0  # rms  # noqa: N815
    lift_pT: float = 150.0  # largest change  # noqa: N815
    lift_s: float = 20.0  # when it starts
    residual_nT: float = 0.3  # noqa: N815
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
    bandwidth: float = 0.0  # Hz of the OPM, 0: an ideal sensor that no residual field changes
    loop_gain: float = 0.0  # of its field feedback, 0: open loop
    bits: int = 24
    range_nT: float = 5.0  # ±  # noqa: N815


def simulation(spec: str, *, block: int | None = None) -> Simulation:
    """Return the simulation that `sim:PRESET?key=value&…` describes.

    Raises
    ------
    InputError
        If the preset or a key is not known (the nearest known one is named), or a value is impossible.
    """
    name, _, query = spec.removeprefix("sim:").partition("?")
    if name not in PRESETS:
        raise InputError(f"sim:{name}: no such preset{_nearest(name, PRESETS)}; there are {', '.join(PRESETS)}.")
    defaults, hearts = PRESETS[name]
    try:
        options = _parsed(defaults, query)
        if block is not None:
            options = replace(options, block=block)
        return _built(spec, options, hearts(options))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{spec}: {error}.") from error


def _parsed(options: Options, query: str) -> Options:
    """Return the options with every key=value of the query set."""
    kinds = {field.name: type(getattr(options, field.name)) for field in fields(options)}
    values: dict[str, object] = {}
    for pair in filter(None, query.split("&")):
        key, equals, text = pair.partition("=")
        if key not in kinds:
            raise ValueError(f"no key {key!r}{_nearest(key, kinds)}")
        if not equals:
            raise ValueError(f"{key} needs a value, as in {key}={getattr(options, key) or '…'}")
        try:
            values[key] = kinds[key](unquote(text))
        except ValueError as error:
            wanted = "a whole number" if kinds[key] is int else "a number"
            raise ValueError(f"{key} must be {wanted}, got {text!r}") from error
        if values[key] != values[key]:  # only NaN differs from itself
            raise ValueError(f"{key} must be a number, got {text!r}")
    return replace(options, **values)  # type: ignore[arg-type]  # each value has its field's own type


def _nearest(name: str, known: dict[str, type] | dict[str, Preset]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.0)
    return f", did you mean {close[0]!r}" if close and name else ""


def _built(spec: str, options: Options, hearts: tuple[Heart, ...]) -> Simulation:
    """Return the simulation of these options around these hearts."""
    return Simulation(
        spec=spec,
        sensors=_sensors(options),
        rate=options.rate,
        seconds=options.seconds,
        seed=options.seed,
        block=options.block,
        hearts=hearts,
        conductor=HalfSpace(),
        noise=SensorNoise(options.noise * 1e-15, options.corner, options.exponent),
        room=_room(options),
        errors=SensorErrors(
            options.gain_error, np.radians(options.tilt_deg), options.position_mm * 1e-3, options.crosstalk
        ),
        opm=_opm(options),
        faults=Faults(
            dead=_names(options.dead),
            stuck=_names(options.stuck),
            jumping=_names(options.jumping),
            noisy=_names(options.noisy),
            clipping=_names(options.clipping),
            start_s=options.fault_s,
            stop_s=options.fault_end_s,
        ),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _opm(options: Options) -> Opm | None:
    """Return the sensor's physics, None for an ideal one."""
    if options.bandwidth < 0:
        raise ValueError(f"bandwidth must be 0 or more, got {options.bandwidth:g}")
    if not options.bandwidth:
        return None
    return Opm(options.bandwidth, options.bandwidth / HERTZ_PER_TESLA, options.loop_gain)


def _sensors(options: Options) -> SensorArray:
    """Return the array with references and digitiser."""
    if not 8 <= options.bits <= 32:
        raise ValueError(f"bits must be 8 to 32, got {options.bits}")
    if not options.range_nT > 0:
        raise ValueError(f"range_nT must be above 0, got {options.range_nT:g}")
    if options.rows * options.columns > 65536:
        raise ValueError(f"rows x columns must be at most 65536, got {options.rows} x {options.columns}")
    array = read_array(options.array) if options.array else grid(options.rows, options.columns, options.pitch * 1e-3)
    if options.references:
        array = with_references(array)
    most = 2 ** (options.bits - 1)
    quantum = np.full(len(array), options.range_nT * 1e-9 / most)
    # one count less than the range on both sides, so that a railed sample stands exactly at the limit
    return replace(array, quantum=quantum, limit=quantum * (most - 1))


def _room(options: Options) -> tuple[Interference, ...]:
    """Return the interferences that were not switched off."""
    if not (options.mains == 0 or 10 <= options.mains <= 1000):
        raise ValueError(f"mains must be 0 or a line frequency of 10 to 1000 Hz, got {options.mains:g}")
    parts: list[Interference] = []
    if options.mains and options.mains_pT:
        parts.append(Mains(options.mains, options.mains_pT * 1e-12))
    if options.drift_pT:
        parts.append(Drift(options.drift_pT * 1e-12, options.drift_pT * 0.5e-12))
    if options.lift_pT:
        parts.append(Lift(options.lift_pT * 1e-12, options.lift_s))
    if options.residual_nT:
        parts.append(Residual(options.residual_nT * 1e-9, options.residual_nT * 7e-9))
    return tuple(parts)


def _place(options: Options) -> tuple[float, float, float]:
    if not options.depth > 0:
        raise ValueError(f"depth must be above 0 mm, got {options.depth:g}")
    return options.x * 1e-3, options.y * 1e-3, -options.depth * 1e-3


def _adult(options: Options) -> tuple[Heart, ...]:
    rhythm = Rhythm(
        options.heart_rate,
        options.variability,
        variation=options.variation,
        ectopic_every=options.ectopic_every,
    )
    return (SameniHeart(_place(options), rhythm=rhythm, peak=options.moment * 1e-6, t_scale=options.t_scale),)


def _vcg(options: Options) -> tuple[Heart, ...]:
    if not options.record:
        raise ValueError("give record=PATH of a WFDB record with the Frank leads vx, vy, vz")
    return (read_vcg(options.record, options.rate, place=_place(options), peak=options.moment * 1e-6),)


def _nobody(options: Options) -> tuple[Heart, ...]:  # noqa: ARG001 - a room without a heart
    return ()


def _fetal(options: Options) -> tuple[Heart, ...]:
    """Return the fetus, head down and turned to its side, and its mother."""
    rhythm = Rhythm(options.heart_rate, options.variability, variation=options.variation)
    turn = np.array([[-0.6, -0.8, 0.0], [0.8, -0.6, 0.0], [0.0, 0.0, 1.0]])
    fetus = SameniHeart(_place(options), FETAL, rhythm, peak=options.moment * 1e-6, t_scale=options.t_scale, turn=turn)
    if not options.mother:
        return (fetus,)
    return fetus, SameniHeart(MOTHER, rhythm=Rhythm(options.mother_rate), peak=options.mother * 1e-6)


Preset = tuple[Options, Callable[[Options], tuple[Heart, ...]]]
PRESETS: dict[str, Preset] = {
    "adult": (Options(), _adult),
    "vcg": (Options(), _vcg),
    "empty-room": (Options(), _nobody),
    "fetal": (
        Options(heart_rate=140.0, variability=0.02, moment=1.0, t_scale=1.0, x=15.0, y=-10.0, depth=70.0),
        _fetal,
    ),
}
