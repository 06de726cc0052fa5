"""From `sim:PRESET?key=value&…` to a simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zeromag.acquire.options import Options, nearest, parsed
from zeromag.acquire.rezero import Rezero
from zeromag.acquire.simulation import Simulation
from zeromag.acquire.vcg import read_vcg
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, read_array, with_references
from zeromag.physics.coils import calibration_coils
from zeromag.physics.conductor import Conductor, Infinite
from zeromag.physics.drift import Drift, Residual
from zeromag.physics.faults import Faults
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart import Heart, SameniHeart, Site, spread_sites
from zeromag.physics.lift import Lift
from zeromag.physics.mains import Mains
from zeromag.physics.motion import Motion
from zeromag.physics.noise import SensorNoise
from zeromag.physics.opm import HERTZ_PER_TESLA, Opm
from zeromag.physics.outside import Interference
from zeromag.physics.rhythm import Rhythm
from zeromag.physics.room import ROOMS
from zeromag.physics.sameni import FETAL
from zeromag.physics.sensor_errors import SensorErrors
from zeromag.physics.sphere import Sphere
from zeromag.sensors import SensorArray

__all__ = ["PRESETS", "Simulation", "simulation"]

MOTHER = (0.02, 0.30, -0.13)  # m, a mother's heart above an array over the womb
RAILWAY = 16.7  # Hz
COILS = ("loop", "uniform", "onboard")


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset's name stands for: its own defaults, as a query, and who is under the array."""

    keys: str
    hearts: Callable[[Options], tuple[Heart, ...]]


def simulation(spec: str, *, block: int | None = None) -> Simulation:
    """Return the simulation that `sim:PRESET?key=value&…` describes.

    Raises
    ------
    InputError
        If the preset or a key is not known (the nearest known one is named), or a value is impossible.
    """
    name, _, query = spec.removeprefix("sim:").partition("?")
    if name not in PRESETS:
        raise InputError(f"sim:{name}: no such preset{nearest(name, PRESETS)}; there are {', '.join(PRESETS)}.")
    preset = PRESETS[name]
    try:
        options = parsed(Options(), f"{preset.keys}&{query}")
        if block is not None:
            options = replace(options, block=block)
        built = _built(spec, options, preset.hearts(options))
        if options.conductor != "torso":  # there is nothing above a torso's dipole that it would refuse
            places = built.real_array().sensors.positions
            for heart in built.hearts:
                built.conductor.field(heart.positions, places)  # refuses sensors below the heart, hearts outside
        return built
    except (ValueError, OverflowError) as error:
        raise InputError(f"{spec}: {error}.") from error


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
        conductor=_conductor(options),
        noise=SensorNoise(options.noise * 1e-15, options.corner, options.exponent),
        room=_room(options),
        motion=Motion(options.tremble_um * 1e-6, options.breath_mm * 1e-3, options.recoil_mm * 1e-3, options.loose),
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
        recovery=options.recovery_ms * 1e-3,
        rezero=Rezero(round(options.rezero_s * options.rate), round(options.rate)) if options.rezero_s else None,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _opm(options: Options) -> Opm | None:
    """Return the sensor's physics, None for an ideal one."""
    if not options.bandwidth:
        return None
    # a loop of gain T widens the band to (1 + T) times the atoms' own; the key names what comes out
    atoms = options.bandwidth if options.loop_gain == 0 else min(options.bandwidth, 135.0)
    return Opm(options.bandwidth, atoms / HERTZ_PER_TESLA, options.loop_gain)


def _sensors(options: Options) -> SensorArray:
    """Return the array with references and digitiser."""
    array = read_array(options.array) if options.array else grid(options.rows, options.columns, options.pitch * 1e-3)
    if options.references:
        array = with_references(array)
    most = 2 ** (options.bits - 1)
    quantum = np.full(len(array), options.range_nT * 1e-9 / most)
    # one count less than the range on both sides, so that a railed sample stands exactly at the limit
    return replace(array, quantum=quantum, limit=quantum * (most - 1))


def _conductor(options: Options) -> Conductor:
    """Return the body that the hearts' currents flow in."""
    radius = options.sphere_mm * 1e-3
    match options.conductor:
        case "halfspace":
            return HalfSpace()
        case "infinite":
            return Infinite()
        case "sphere":
            return Sphere((0.0, 0.0, -radius - 0.01), radius)
        case "torso" if options.torso:
            from zeromag.physics.torso import read_torso

            return read_torso(options.torso, heart=_place(options))
        case "torso":
            raise ValueError("give torso=FOLDER with thorax.gii, lungs.gii and blood.gii")
    known = ("halfspace", "infinite", "sphere", "torso")
    raise ValueError(f"no conductor {options.conductor!r}{nearest(options.conductor, known)}")


def _room(options: Options) -> tuple[Interference, ...]:
    """Return the interferences that were not switched off."""
    parts: list[Interference] = []
    if options.mains and options.mains_pT:
        parts.append(Mains(options.mains, options.mains_pT * 1e-12))
    if options.drift_pT:
        parts.append(Drift(options.drift_pT * 1e-12, options.drift_pT * 0.5e-12))
    if options.lift_pT:
        parts.append(Lift(options.lift_pT * 1e-12, options.lift_s))
    if options.residual_nT:
        parts.append(Residual(options.residual_nT * 1e-9, options.residual_nT * 7e-9))
    if background := ROOMS[options.room].background:
        parts.append(background)
    if options.rail_pT:
        parts.append(
            Mains(RAILWAY, options.rail_pT * 1e-12, (3,), frequency_wander=0.05, amplitude_wander=0.4, word="railway")
        )
    if kinds := _names(options.drives):
        for kind in kinds:
            if kind not in COILS:
                raise ValueError(f"no coils {kind!r}{nearest(kind, COILS)}; there are {', '.join(COILS)}")
        parts.append(calibration_coils(_sensors(options), kinds))
    return tuple(parts)


def _place(options: Options) -> tuple[float, float, float]:
    return options.x * 1e-3, options.y * 1e-3, -options.depth * 1e-3


def _adult(options: Options) -> tuple[Heart, ...]:
    rhythm = Rhythm(
        options.heart_rate,
        options.variability,
        variation=options.variation,
        ectopic_every=options.ectopic_every,
    )
    heart = SameniHeart(
        _place(options),
        rhythm=rhythm,
        peak=options.moment * 1e-6,
        t_scale=options.t_scale,
        t_turn=np.radians(options.t_turn_deg),
        st_level=options.st_level,
        qrs_stretch=options.qrs_stretch,
        pr_shift=options.pr_shift_ms * 1e-3,
        t_shift=options.t_shift_ms * 1e-3,
        sites=spread_sites(options.spread_mm * 1e-3) if options.spread_mm else (Site(),),
    )
    return (heart,)


def _vcg(options: Options) -> tuple[Heart, ...]:
    if not options.record:
        raise ValueError("give record=PATH of a WFDB record with the Frank leads vx, vy, vz")
    return (read_vcg(options.record, options.rate, place=_place(options), peak=options.moment * 1e-6),)


def _nobody(options: Options) -> tuple[Heart, ...]:  # noqa: ARG001 - a room without a heart
    return ()


def _fetal(options: Options) -> tuple[Heart, ...]:
    """Return the fetus, head down and turned to its side, and its mother."""
    (adult,) = _adult(options)
    if not isinstance(adult, SameniHeart):
        raise TypeError(f"a fetus is a SameniHeart, got {type(adult).__name__}")
    turn = np.array([[-0.6, -0.8, 0.0], [0.8, -0.6, 0.0], [0.0, 0.0, 1.0]])
    fetus = replace(adult, vector=FETAL, turn=turn)
    if not options.mother:
        return (fetus,)
    return fetus, SameniHeart(MOTHER, rhythm=Rhythm(options.mother_rate), peak=options.mother * 1e-6)


PRESETS: dict[str, Preset] = {
    "adult": Preset("", _adult),
    "vcg": Preset("", _vcg),
    "empty-room": Preset("", _nobody),
    # Wurm 2023, week 26 to 36: PR 104 ms, QRS 52.6 ms, QTc 387 ms; the published vector alone is shorter
    "fetal": Preset(
        "heart_rate=140&variability=0.02&moment=1&t_scale=1&x=15&y=-10&depth=70"
        "&qrs_stretch=2.02&pr_shift_ms=57&t_shift_ms=90",
        _fetal,
    ),
    # 128 beats a minute, extra beats, trembling bed, heavier breathing, sensors as they come
    "stress": Preset(
        "heart_rate=128&variability=0.015&ectopic_every=17&st_level=0.06&t_scale=0.5&room=light&sensor=qzfm-gen3"
        "&tremble_um=20&breath_mm=4&recoil_mm=0.3&gain_error=0.02&tilt_deg=1&drift_pT=80",
        _adult,
    ),
    # sensors on the chest: 20 mm nearer, breathing and recoiling with it, each a little differently
    "wearable": Preset(
        "depth=80&rows=5&columns=5&room=light&sensor=qzfm-gen3&breath_mm=3&recoil_mm=0.3&loose=0.3"
        "&gain_error=0.03&tilt_deg=3&position_mm=3&crosstalk=0.02",
        _adult,
    ),
    # known coils around sensors as they come: what `zeromag bench array` calibrates by
    "coils": Preset(
        "drives=loop,uniform,onboard&references=0&lift_pT=0&bandwidth=135"
        "&gain_error=0.03&tilt_deg=2&position_mm=2&crosstalk=0.02",
        _nobody,
    ),
    "unshielded": Preset("room=none&sensor=scalar-unshielded&rail_pT=300", _adult),
}
