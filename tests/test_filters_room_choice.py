"""The chain is chosen by array and room: the look at the room, the choice, and the scan that goes on with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import planar, with_references
from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.calibration import SensorCalibration
from zeromag.filters import HomogeneousField, JointFit, LowPass, Mains, MaskBad, default_chain, league
from zeromag.filters.known_heart import known_heart
from zeromag.filters.room_look import LOOK_S, RoomLook
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain
from zeromag.scan.scan import Scan
from zeromag.sensors import SensorArray
from zeromag.session import Session

RATE = 500.0
N = round(LOOK_S * RATE)
NOISE = 15e-15  # T/√Hz
PLAIN, REFS = planar(), with_references()


def noise(sensors: SensorArray, density: float = NOISE) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(scale=density * np.sqrt(RATE / 2), size=(N, len(sensors)))


def looked(sensors: SensorArray, data: NDArray[np.float64], mask: NDArray[np.bool_] | None = None) -> RoomLook:
    whole = Block(data=data, first=40, rate=RATE, sensors=sensors, mask=mask)
    look = RoomLook(whole.part(0, 10))
    for at in range(0, len(whole), 700):
        look(whole.part(at, min(at + 700, len(whole))))
    return look


def with_heart(sensors: SensorArray, density: float = NOISE) -> NDArray[np.float64]:
    beating = known_heart(sensors, RATE, LOOK_S, HalfSpace(), HeartVolume()).field
    return noise(sensors, density) + beating


def test_what_is_left_is_the_noise_that_is_there_and_no_line_leaks_in() -> None:
    same = [np.eye(36)]
    expected = NOISE * np.sqrt(15 * 2.5)  # fifteen bins of 2.5 Hz
    for more in (0.0, 1e-9 * np.sin(2 * np.pi * 49.7 * np.arange(N) / RATE)[:, None], np.linspace(0, 1e-9, N)[:, None]):
        left = looked(PLAIN, noise(PLAIN) + more + 5e-5).left(same, PLAIN)
        assert left is not None
        assert left[0] == pytest.approx(expected, rel=0.12)


def test_an_operator_leaves_what_running_it_leaves() -> None:
    rng = np.random.default_rng(1)
    data = noise(PLAIN) + 1e-11 * np.cumsum(rng.normal(size=(N, 1)), axis=0) @ np.ones((1, 36))
    operator = HomogeneousField(1).plan(PLAIN)(PLAIN.usable()).matrix(36)
    one = looked(PLAIN, data).left([operator, np.eye(36)], PLAIN)
    two = looked(PLAIN, data @ operator.T).left([np.eye(36)], PLAIN)
    assert one is not None
    assert two is not None
    assert one[0] == pytest.approx(two[0], rel=1e-9)
    assert one[1] > 10 * one[0]


def test_a_channel_that_was_bad_in_the_end_does_not_count() -> None:
    data, mask = noise(PLAIN), np.zeros((N, 36), dtype=np.bool_)
    data[:, 7] += 1e-9 * np.random.default_rng(2).normal(size=N)
    mask[N // 4 :, 7] = True
    mask[: N // 4, 8] = True  # was, but is good again
    look = looked(PLAIN, data, mask)
    there = look.found(PLAIN)
    assert [name for name, status in zip(there.names, there.status, strict=True) if status != "good"] == [
        PLAIN.names[7]
    ]
    left = look.left([np.eye(36)], there)
    assert left is not None
    assert left[0] < 1.2 * NOISE * np.sqrt(37.5)
    assert looked(PLAIN, data, np.ones((N, 36), dtype=np.bool_)).left([np.eye(36)], PLAIN) is None


def test_a_quiet_room_spares_the_heart_and_a_loud_one_is_shielded_from() -> None:
    quiet = default_chain(PLAIN, RATE, look=looked(PLAIN, with_heart(PLAIN)))
    assert JointFit(order=2) in default_chain(PLAIN, RATE).chain.stages
    assert JointFit(order=1) in quiet.chain.stages  # bends maps by 3 % instead of 9 %
    assert "in the room of the first 8 s one beat's map at R comes within" in quiet.reason
    # gradients that order 1 lets through
    x, y, _ = PLAIN.positions.T
    swing = np.random.default_rng(3).normal(size=(N, 2)) @ np.array([x, y]) * 3e-10
    loud = default_chain(PLAIN, RATE, look=looked(PLAIN, with_heart(PLAIN) + swing))
    assert JointFit(order=2) in loud.chain.stages
    assert "nothing that shields is better by 3%" in loud.reason


def test_where_the_default_is_as_good_as_any_it_stays() -> None:
    choice = default_chain(REFS, RATE, look=looked(REFS, with_heart(REFS)))
    assert choice.chain == default_chain(REFS, RATE).chain
    assert "nothing that shields is better by 3%" in choice.reason
    empty = default_chain(REFS, RATE, look=RoomLook(Block(noise(REFS)[:10], 0, RATE, REFS)))
    assert empty.chain == choice.chain
    assert "could not be measured" in empty.reason


def test_what_runs_stays_when_too_many_channels_are_lost_to_weigh_anything() -> None:
    mask = np.zeros((N, 36), dtype=np.bool_)
    mask[:, 3:] = True
    choice = default_chain(PLAIN, RATE, look=looked(PLAIN, with_heart(PLAIN), mask))
    assert choice.chain == default_chain(PLAIN, RATE).chain


def test_whatever_the_room_the_heart_is_kept() -> None:
    from zeromag.filters.meter import KEEP, measure

    for sensors, density in ((PLAIN, 100e-15), (REFS, 500e-15), (planar(16), NOISE)):
        chain = default_chain(sensors, RATE, look=looked(sensors, with_heart(sensors, density))).chain
        for stage in chain.stages[1:-2]:
            assert measure(stage, sensors, RATE).heart_kept >= KEEP


SOURCE = "sim:adult?references=0&rate=250&seconds=12"


def scanned(block: int, session: Session) -> tuple[NDArray[np.float64], Scan, list[str]]:
    scan, out, said = None, [], []
    for piece in open_source(session.source, block=block).blocks():
        scan = scan or Scan(piece, session)
        said = said or [scan.reason]
        out.append(scan(piece).cleaned.data)
        if scan.reason != said[-1]:
            said.append(scan.reason)
    assert scan is not None
    return np.concatenate(out), scan, said


def test_a_scan_goes_on_with_what_the_room_asks_for_whatever_its_blocks() -> None:
    session = Session(source=SOURCE)
    (one, scan, said), (two, other, _) = (scanned(block, session) for block in (3000, 37))
    np.testing.assert_array_equal(one, two)
    assert [row["stage"] for row in scan.cleaning.report()] == [
        "MaskBad",
        "JointFit",
        "Mains",
        "LowPass",
        "whole chain",
    ]
    assert len(said) == 2  # by the array, then by the room
    ends = [run.finish() for run in (scan, other)]
    for end in ends:
        (event,) = [event for event in end.events if event.kind == "cleaning"]
        assert (event.sample, event.why) == (2500, end.chain_reason)
        assert "external field (order 1)" in end.chain_reason
    np.testing.assert_array_equal(ends[0].averages[0].wave, ends[1].averages[0].wave)


def test_only_auto_is_left_to_the_room() -> None:
    asked = Session(source=SOURCE).changed(**{"clean.suppression": "joint"})
    _, scan, said = scanned(1000, asked)
    assert "order 2" in scan.reason
    assert len(said) == 1
    head = Block(np.zeros((1, 36)), 0, 10_000.0, PLAIN)
    assert "360000 samples a second are too many for a look" in Scan(head, Session(source=SOURCE)).reason


def test_the_league_runs_behind_the_calibration() -> None:
    gains = 1 + 0.1 * np.random.default_rng(6).normal(size=36)
    calibration = {
        name: SensorCalibration(gain, tuple(axis), tuple(place), 0.0, {})
        for name, gain, axis, place in zip(
            PLAIN.names, gains.tolist(), PLAIN.axes.tolist(), PLAIN.positions.tolist(), strict=True
        )
    }
    swing = 1e-10 * np.random.default_rng(7).normal(size=(N, 1))
    data = (with_heart(PLAIN) + swing) * gains
    block = Block(data=data, first=0, rate=RATE, sensors=replace(PLAIN))
    chains = {"HFC": Chain((MaskBad(), HomogeneousField(1), Mains(50.0), LowPass()))}
    (raw,), (calibrated,) = (league([block], chains, calibration=known) for known in (None, calibration))
    assert calibrated.shielding["1-40 Hz"] > raw.shielding["1-40 Hz"] + 10
    assert calibrated.chain == chains["HFC"]  # the calibration stays the session's own
