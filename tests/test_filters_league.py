"""The league: who keeps the heart wins, who eats it loses, who cannot run says why."""

from __future__ import annotations

import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.filters import HomogeneousField, JointFit, LowPass, Mains, MaskBad, ReferenceRegression, Rls
from zeromag.filters.league import contenders, league
from zeromag.filters.references import heart_blind
from zeromag.pipeline import Chain
from zeromag.stage import Stage

ROOM = "sim:adult?seconds=14&gain_error=0.03&tilt_deg=1.5"


def around(stage: Stage, *, late: bool = False) -> Chain:
    order = (Mains(), stage) if late else (stage, Mains())
    return Chain((MaskBad(), *order, LowPass()))


def test_the_heart_decides() -> None:
    sim = simulation(ROOM, block=100)
    table = league(
        sim.blocks(),
        {"joint": around(JointFit()), "eater": around(HomogeneousField(2)), "impossible": around(JointFit(rank=60))},
    )
    assert [one.name for one in table] == ["joint", "eater", "impossible"]
    joint, eater, impossible = table
    assert joint.keeps
    assert joint.cost.heart_kept == pytest.approx(1.0, abs=0.05)
    assert joint.cost.map_correlation > 0.998
    assert joint.cost.map_angle < 5
    assert joint.error < 0.1
    assert 15e-15 < joint.floor < 60e-15
    assert joint.cost.delay_s == pytest.approx(0.004, abs=5e-4)
    assert joint.load < 0.5
    assert not eater.keeps
    assert eater.cost.heart_kept < 0.4
    assert "needs" in impossible.why
    assert np.isnan(impossible.error)


def test_adaptive_filters_take_less_than_2_percent_though_their_references_see_the_heart() -> None:
    sim = simulation(ROOM, block=100)
    chains = {
        "blind": around(Rls(), late=True),
        "seeing": around(Rls(blind=0), late=True),
        "regression": around(ReferenceRegression(), late=True),
    }
    kept = {one.name: one.cost.heart_kept for one in league(sim.blocks(), chains)}
    assert kept["seeing"] < 0.9  # references 25 cm above a chest see 8 % of it
    for name in ("blind", "regression"):
        assert kept[name] == pytest.approx(1.0, abs=0.04)  # power: 2 % of the amplitude


def test_blind_references_see_little_of_the_heart() -> None:
    from tests.arrays import hearts, planar, with_references

    sensors = with_references()
    refs = sensors.of_kind("ref")
    heart = hearts(sensors)
    seen = np.linalg.norm(heart[refs])
    assert np.linalg.norm(heart_blind(sensors, refs, 2).T @ heart[refs]) < 0.25 * seen
    np.testing.assert_array_equal(heart_blind(sensors, refs, 0), np.eye(12))
    np.testing.assert_array_equal(heart_blind(planar(), np.arange(3), 2), np.eye(3))


def test_every_contender_is_a_chain_and_an_empty_stream_is_refused() -> None:
    sim = simulation(ROOM)
    chains = contenders(sim.sensors, sim.rate)
    assert len(chains) > 12
    assert all(isinstance(chain.stages[0], MaskBad) for chain in chains.values())
    with pytest.raises(ValueError, match="at least one block"):
        league([])
