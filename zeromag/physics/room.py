"""Rooms: what is outside of them, divided by what their walls hold back."""

from __future__ import annotations

from dataclasses import dataclass

from zeromag.physics.background import Background
from zeromag.physics.shielding import AK3B, CYLINDER, LIGHT, NONE, Shielding

# outside, 30 m from a lift and a transformer, in the units of the keys
MAINS_PT, LIFT_PT, DRIFT_PT = 6320.0, 4740.0, 1265.0
LIFT_HZ, DRIFT_HZ = 0.1, 0.02  # where the shield is asked for them


@dataclass(frozen=True, slots=True)
class Room:
    """Interference inside one kind of room, in the units of a simulation's keys."""

    mains_pT: float  # noqa: N815 - the unit is the name
    lift_pT: float  # noqa: N815
    drift_pT: float  # noqa: N815
    residual_nT: float  # noqa: N815 - after the sensors' own nulling
    background: Background | None = None
    shielding: Shielding = LIGHT  # what holds back a tram


def behind(shielding: Shielding, residual_nT: float, line: float = 50.0) -> Room:
    """Return the room behind a shield: each outside field over the factor at its own frequency."""
    return Room(
        mains_pT=round(MAINS_PT / float(shielding.factor(line)), 4),
        lift_pT=round(LIFT_PT / float(shielding.factor(LIFT_HZ)), 2),
        drift_pT=round(DRIFT_PT / float(shielding.factor(DRIFT_HZ)), 2),
        residual_nT=residual_nT,
        background=Background(shielding=shielding),
        shielding=shielding,
    )


ROOMS = {
    "plain": Room(20.0, 150.0, 40.0, 0.3),
    "light": behind(LIGHT, 0.4),
    "ak3b": behind(AK3B, 0.3),
    # Bardouille 2024, open cylinder: 50 nT at rest, 16.7 pT/√Hz of mains in 1 Hz, 71 fT/√Hz from 10 to 200 Hz
    # with sensors of 15 fT/√Hz: √(71² - 15²) of background in each component
    "cylinder": Room(23.6, 500.0, 200.0, 0.6, Background(outside=10e-12, slope=1.4, wall=69.4e-15), CYLINDER),
    "none": behind(NONE, 100.0),
}
