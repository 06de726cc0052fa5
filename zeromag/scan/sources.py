"""Where in the heart the averaged beat comes from: grid, loop and dipoles in the session's conductor, and its doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.dipole import Dipole
from zeromag.mapping.dipole_any import AnyDipoleFitter
from zeromag.mapping.heart_loop import HeartLoop, heart_loop
from zeromag.mapping.source_gain import SourceGain
from zeromag.mapping.source_image import Imaging, SourceImage
from zeromag.physics.conductor import Conductor
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.sphere import Sphere
from zeromag.session import Session

TOP = 0.01  # m that a sphere's top lies below the sensors
STEP = 0.005  # s between the dipoles in a conductor that is not the half-space
APART = 0.005  # m between the places in two conductors, from which it matters which one is right
TELLS = 2.0  # times less χ² than the other leaves, with which the data tell that this one is right


@dataclass(frozen=True, slots=True)
class Sources:
    """Frozen answers; empty where the array or the beats do not allow them."""

    image: SourceImage | None = None
    loop: HeartLoop | None = None
    dipoles: tuple[Dipole, ...] = ()
    doubt: str = ""  # one sentence when the conductor is doubtful


def conductor_of(session: Session) -> Conductor:
    """Return the session's conductor in the array's frame.

    Raises
    ------
    InputError
        If the torso's surfaces cannot be read.
    """
    wanted = session.sources
    if wanted.conductor == "sphere":
        return _sphere(wanted.sphere_mm)
    if wanted.conductor == "torso":
        from zeromag.physics.torso import read_torso

        try:
            return read_torso(wanted.torso, heart=(0.0, 0.0, -1e-3 * wanted.depth_mm))
        except (OSError, ValueError) as error:
            raise InputError(f"the torso in {wanted.torso or 'no folder'} cannot be read: {error}") from error
    return HalfSpace()


def _sphere(radius_mm: float) -> Sphere:
    return Sphere((0.0, 0.0, -1e-3 * radius_mm - TOP), 1e-3 * radius_mm)


def read_sources(averages: Sequence[Average], dipoles: Sequence[Dipole], session: Session) -> Sources:
    """Return what the scan's own average says of its sources; `dipoles` are those over a half-space."""
    average = next((average for average in averages if average.main), None)
    if average is None or session.sources.method == "none":
        return Sources(dipoles=tuple(dipoles))
    conductor = conductor_of(session)
    imaging = Imaging(session.sources.method)
    places = imaging.volume.points()
    try:
        gains = SourceGain(conductor, average.sensors, average.good, average.noise)
        image, loop = imaging.of(average, gains), heart_loop(average, gains, places)
    except ValueError:
        return Sources(dipoles=tuple(dipoles))  # the report says how many channels are good
    if not isinstance(conductor, HalfSpace):
        every = max(1, round(STEP / (average.time[1] - average.time[0])))
        rows = range(average.at(0.0) % every, len(average.time), every)
        dipoles = AnyDipoleFitter(gains, places).moving(average, rows)
    return Sources(image, loop, tuple(dipoles), conductor_doubt(average, gains, places, session.sources.sphere_mm))


def conductor_doubt(average: Average, gains: SourceGain, places: F64, sphere_mm: float) -> str:
    """Return one sentence when another conductor puts the dipole of R elsewhere and explains it about as well.

    Over a half-space the other is a sphere; over anything else, a half-space. A goodness of fit near 1 does not tell:
    over a sphere of 15 cm a half-space fit leaves 1 % and misses by 23 mm.
    """
    conductor = gains.conductor
    other: Conductor = _sphere(sphere_mm) if isinstance(conductor, HalfSpace) else HalfSpace()
    row = average.at(0.0)
    others = SourceGain(other, average.sensors, average.good, average.noise)
    one, two = (AnyDipoleFitter(body, places)(average.wave[row]) for body in (gains, others))
    apart = float(np.linalg.norm(np.subtract(one.position, two.position)))
    if apart < APART or two.chi2 > TELLS * one.chi2:
        return ""
    return (
        f"the dipole of R lies {1e3 * apart:.0f} mm elsewhere in a {_name(other)}, which leaves {two.chi2:.2g} times "
        f"the noise's power, than in a {_name(conductor)}, which leaves {one.chi2:.2g} times: do not trust places more"
    )


def _name(conductor: Conductor) -> str:
    names = {"HalfSpace": "half-space", "Sphere": "sphere", "Torso": "torso"}
    return names.get(type(conductor).__name__, type(conductor).__name__)
