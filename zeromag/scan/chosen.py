"""The chain that a session chooses for an array, and the array as its calibration says it is."""

from __future__ import annotations

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.choose import Choice, default_chain
from zeromag.filters.given_chain import given_chain
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.session import Session


def chosen(head: Block, session: Session) -> Choice:
    """Return the chain that cleans the stream beginning with `head`, and why it is that one.

    Raises
    ------
    InputError
        If the settings cannot work with this array and rate.
    """
    clean = session.clean
    if not len(head.sensors.of_kind("mag")):
        raise InputError(f"{session.source} has no magnetometer to map; `zeromag beats` reads its ECG")
    sensors = calibrated(head.sensors, session)
    try:
        choice = (
            given_chain(clean.stages, sensors, head.rate)
            if clean.stages
            else default_chain(
                sensors, head.rate, line=clean.line or None, low_pass=clean.low_pass, suppression=clean.suppression
            )
        )
    except ValueError as error:
        raise InputError(f"{session.source}: {error}") from error
    if not session.calibration:
        return choice
    calibrate = Calibrate(session.calibration)
    mask, *others = choice.chain.stages  # rails and jumps are those of readings, so they are judged first
    return Choice(Chain((mask, calibrate, *others)), f"{calibrate.in_words(head.sensors)}; {choice.reason}")


def calibrated(sensors: SensorArray, session: Session) -> SensorArray:
    """Return the sensors as the session's calibration says they are, or as they came.

    Raises
    ------
    InputError
        If the calibration is of other sensors.
    """
    if not session.calibration:
        return sensors
    try:
        return Calibrate(session.calibration).array(sensors)
    except ValueError as error:
        raise InputError(f"{session.source}: {error}") from error
