"""From `sim:PRESET?key=value&…` to a simulation."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from zeromag.acquire.options import Options, nearest, parsed
from zeromag.acquire.presets import PRESETS, place
from zeromag.acquire.rezero import Rezero
from zeromag.acquire.scene import REMNANT_SEED
from zeromag.acquire.simulation import Simulation
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, read_array, with_references
from zeromag.physics.coils import calibration_coils
from zeromag.physics.conductor import Conductor, Infinite
from zeromag.physics.drift import Drift, Residual
from zeromag.physics.faults import Faults
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart import Heart
from zeromag.physics.lift import Lift
from zeromag.physics.mains import Mains
from zeromag.physics.motion import Motion
from zeromag.physics.motor import Motor
from zeromag.physics.noise import SensorNoise
from zeromag.physics.opm import HERTZ_PER_TESLA, Opm
from zeromag.physics.outside import Interference
from zeromag.physics.remnant import read_remnant, remnant
from zeromag.physics.room import ROOMS
from zeromag.physics.sensor_errors import SensorErrors
from zeromag.physics.sphere import Sphere
from zeromag.physics.tram import Tram
from zeromag.sensors import SensorArray

__all__ = ["PRESETS", "Simulation", "simulation"]

RAILWAY = 16.7  # Hz
COILS = ("loop", "uniform", "onboard")


def simulation(spec: str, *, block: int | None = None) -> Simulation:
    """Return the simulation that `sim:PRESET?key=value&…` describes.

    Raises
    ------
    InputError
        If the preset or a key is not known (the nearest known one is named), or a value is impossible.

    Examples
    --------
    >>> source = simulation("sim:adult?seconds=2&rate=500", block=100)
    >>> [len(block) for block in source.blocks()]
    [100, 100, 100, 100, 100, 100, 100, 100, 100, 100]
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
            sway = built.sway()
            for heart in built.hearts:
                reached = sway.places(heart.positions) if sway else heart.positions
                built.conductor.field(reached.reshape(-1, 3), places)  # refuses sensors below the heart, hearts outside
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
        motion=Motion(
            options.tremble_um * 1e-6,
            options.breath_mm * 1e-3,
            options.recoil_mm * 1e-3,
            options.loose,
            heart=options.heart_mm * 1e-3,
        ),
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
        settings=asdict(options),
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

            return read_torso(options.torso, heart=place(options))
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
    if options.tram_nT:
        parts.append(Tram(options.tram_nT * 1e-9, ROOMS[options.room].shielding))
    if options.motor_pT:
        parts.append(Motor(options.motor_pT * 1e-12, options.motor_m, options.motor_Hz))
    if options.remnant:
        parts.append(remnant(read_remnant(options.remnant), _sensors(options), (options.seed, REMNANT_SEED)))
    if options.residual_nT:
        # the fields that were read are in place of the uniform one; no gradient follows from them
        uniform = 0.0 if options.remnant else options.residual_nT * 1e-9
        parts.append(Residual(uniform, options.residual_nT * 7e-9))
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
