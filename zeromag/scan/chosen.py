"""The chain of a scan: what the session names, or what array and room ask for; calibration first."""

from __future__ import annotations

from collections.abc import Iterator

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.candidate import Candidate
from zeromag.filters.choose import Choice, default_chain, weighing
from zeromag.filters.given_chain import given_chain
from zeromag.filters.room_look import RoomLook
from zeromag.pipeline import Chain, Tap
from zeromag.sensors import SensorArray
from zeromag.session import Session

HEED_S = 10.0  # of a scan, when the room has its say: the look is over two seconds before
PACE_S = 0.1  # between candidates that are weighed meanwhile, some 10 ms each


def chosen(head: Block, session: Session, look: RoomLook | None = None) -> Choice:
    """Return the chain that a scan of this stream starts with, or goes on with after a look at the room.

    Raises
    ------
    InputError
        If the session's settings cannot work with this array and rate.
    """
    clean = session.clean
    if not len(head.sensors.of_kind("mag")):
        raise InputError(f"{session.source} has no magnetometer to map; `zeromag beats` reads its ECG")
    sensors = calibrated(head.sensors, session)
    line, low_pass = clean.line or None, clean.low_pass
    try:
        choice = (
            given_chain(clean.stages, sensors, head.rate)
            if clean.stages
            else default_chain(
                sensors, head.rate, line=line, low_pass=low_pass, suppression=clean.suppression, look=look
            )
        )
    except ValueError as error:
        raise InputError(f"{session.source}: {error}") from error
    if clean.suppression == "auto" and not clean.stages and look is None:
        many = f"{len(head.sensors) * head.rate:g} samples a second are too many for a look at the room"
        words = f"the room has its say after {HEED_S:g} s" if RoomLook.affordable(head) else many
        choice = Choice(choice.chain, f"{choice.reason}; {words}")
    if not session.calibration:
        return choice
    calibrate = Calibrate(session.calibration)
    mask, *others = choice.chain.stages  # rails and jumps are those of readings, so they are judged first
    return Choice(Chain((mask, calibrate, *others)), f"{calibrate.in_words(head.sensors)}; {choice.reason}")


class Choosing:
    """The choice of one scan's chain: by the array at first, with the room's say once it has been looked at."""

    def __init__(self) -> None:
        self._look: RoomLook | None = None
        self._weighing: Iterator[Candidate] = iter(())
        self._heed = self._next = 0  # samples: when the room has its say, when the next candidate is weighed
        self._heeded = False

    def choice(self, head: Block, session: Session) -> Choice:
        """Return what to go on with from this block on; raises InputError as `chosen` does."""
        choice = chosen(head, session, self._look if self._heeded else None)
        clean = session.clean
        if self._look is None and clean.suppression == "auto" and not clean.stages and RoomLook.affordable(head):
            self._look = RoomLook(head)
            self._weighing = weighing(calibrated(head.sensors, session), self._look)
            self._heed, self._next = head.first + round(HEED_S * head.rate), self._look.until
        return choice

    def watch(self, taps: Tap, session: Session) -> None:
        """Look at the stream as it comes to the spatial stage: behind mask and calibration."""
        if self._look is None or self._heeded:
            return
        block = taps[2 if session.calibration else 1]
        self._look(block)
        if block.first >= self._next:
            next(self._weighing, None)
            self._next = block.first + round(PACE_S * block.rate)

    def due(self, block: Block) -> bool:
        """Return, once, that the room has its say from this block on."""
        if self._look is None or self._heeded or block.first < self._heed:
            return False
        for _ in self._weighing:  # what is left of it, when blocks are long
            pass
        self._heeded = True
        return True

    def edges(self, block: Block) -> set[int]:
        """Return where inside the block other settings, or another chain, may hold from."""
        edges = {event.sample for event in block.events if event.kind == "session"}
        if self._look is not None:
            edges.add(self._heed)
        return {edge for edge in edges if block.first < edge < block.stop}


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
