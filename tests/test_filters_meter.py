"""The heart meter, shielding and the choice: the figures they state are those that a known stage has."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.arrays import array, grid, planar, planar_triaxial, with_references
from zeromag.block import Block
from zeromag.filters import (
    BandPass,
    HomogeneousField,
    JointFit,
    LowPass,
    Mains,
    MaskBad,
    Notch,
    Shielding,
    default_chain,
    measure,
)
from zeromag.filters.meter import lag
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray

RATE = 1000.0


def test_meter_knows_what_a_spatial_stage_costs() -> None:
    eater = measure(HomogeneousField(2), planar(), RATE)
    assert eater.heart_kept == pytest.approx(0.18, abs=0.03)
    assert eater.map_correlation == pytest.approx(0.46, abs=0.05)
    keeper = measure(JointFit(), with_references(), RATE)
    assert keeper.heart_kept > 0.97
    assert keeper.map_correlation > 0.999
    assert keeper.noise_gain < 1.0
    assert keeper.delay_s == 0.0


def test_meter_agrees_with_itself_by_operator_and_by_stream() -> None:
    for stage in (HomogeneousField(2), JointFit()):
        operator, stream = measure(stage, planar(), RATE), measure(Chain((stage,)), planar(), RATE)
        assert stream.noise_gain == pytest.approx(operator.noise_gain, rel=0.02)
        assert stream.heart_kept == pytest.approx(operator.heart_kept, abs=0.15)  # three places, not 200


def test_meter_finds_delay_and_noise_of_a_low_pass() -> None:
    from scipy.signal import butter, group_delay, sos2tf

    cost = measure(LowPass(100.0, 4), planar(), RATE)
    _, delay = group_delay(sos2tf(butter(4, 100.0, fs=RATE, output="sos")), w=[10.0], fs=RATE)
    assert cost.delay_s == pytest.approx(delay[0] / RATE, abs=2e-4)
    assert cost.noise_gain == pytest.approx(np.sqrt(100 / 500 * 1.026), rel=0.03)
    assert cost.heart_kept == pytest.approx(1.0, abs=0.02)
    assert cost.map_correlation > 0.9999


def test_meter_sees_a_filter_eat_the_heart() -> None:
    assert measure(BandPass(15.0, 40.0), planar(), RATE).heart_kept < 0.6
    assert measure(Mains(), planar(), RATE).heart_kept == pytest.approx(1.0, abs=0.002)
    assert measure(MaskBad(), planar(), RATE).heart_kept == 1.0


def test_meter_copes_with_no_heart_and_no_place() -> None:
    nowhere = array(np.full((3, 3), np.nan), np.full((3, 3), np.nan))
    cost = measure(LowPass(), nowhere, RATE)
    assert cost.heart_kept == pytest.approx(1.0, abs=0.02)
    references = SensorArray(("R",), np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), kinds=("ref",))
    assert np.isnan(measure(LowPass(), references, RATE).heart_kept)


def interference(seconds: float = 20.0) -> tuple[Block, SensorArray]:
    """A uniform 7 Hz swing and mains on top of sensor noise and beats."""
    sensors = planar()
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * RATE)) / RATE
    data = 0.1e-12 * rng.normal(size=(len(time), 36))
    data += (100e-12 * np.sin(2 * np.pi * 7 * time) + 50e-12 * np.sin(2 * np.pi * 50 * time))[:, None]
    beat = time % 0.9 - 0.45
    data += 50e-12 * np.exp(-0.5 * (beat / 0.01) ** 2)[:, None] * np.linspace(-1, 1, 36)
    return Block(data=data, first=0, rate=RATE, sensors=sensors), sensors


@pytest.mark.parametrize("factor", [0.1, 0.01])
def test_shielding_is_that_of_a_known_attenuation(factor: float) -> None:
    block, _ = interference()
    common = block.data.mean(axis=1, keepdims=True)
    after = block.with_data(block.data - (1 - factor) * common)
    meter = Shielding()
    for at in range(0, len(block), 10):
        meter(block.part(at, at + 10), after.part(at, at + 10))
    result = meter.result()
    assert result["1-40 Hz"] == pytest.approx(-20 * np.log10(factor), abs=1.0)
    assert result["50 Hz"] == pytest.approx(-20 * np.log10(factor), abs=0.5)


def test_shielding_does_not_depend_on_blocks_and_lives_through_gaps() -> None:
    block, _ = interference(5.0)
    after = LowPass(40.0).start(block)(block)
    one, many = Shielding(), Shielding()
    one(block, after)
    for at in range(0, len(block), 100):
        many(block.part(at, at + 100), after.part(at, at + 100))
    assert one.result() == many.result()
    assert Shielding().result() == {}


def test_every_array_gets_the_chain_that_keeps_its_heart() -> None:
    cases = [
        (with_references(), JointFit(rank=10, order=2)),
        (planar(), JointFit(rank=10, order=2)),
        (planar_triaxial(), JointFit(rank=10, order=2)),
        (planar(2), None),
        (array(np.full((36, 3), np.nan), np.full((36, 3), np.nan)), None),
    ]
    for sensors, wanted in cases:
        choice = default_chain(sensors, RATE)
        spatial = [s for s in choice.chain.stages if isinstance(s, JointFit | HomogeneousField)]
        assert spatial == ([wanted] if wanted else [])
        assert [type(s) for s in choice.chain.stages if s not in spatial] == [MaskBad, Mains, LowPass]
        assert choice.reason
        assert "\n" not in choice.reason
        for stage in spatial:
            cost = measure(stage, sensors, RATE)
            assert cost.heart_kept >= 0.9
            assert cost.noise_gain <= 2.0


def test_a_helmet_gets_homogeneous_field_correction(data: Path) -> None:
    with (data / "opm_noise" / "positions.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    places = np.array([[float(row[key]) for key in ("Px", "Py", "Pz")] for row in rows])
    axes = np.array([[float(row[key]) for key in ("Ox", "Oy", "Oz")] for row in rows])
    choice = default_chain(array(places, axes), 1200.0)
    assert HomogeneousField(1) in choice.chain.stages
    assert "no heart volume" in choice.reason


def test_what_is_asked_for_is_done_with_a_warning() -> None:
    forced = default_chain(planar_triaxial(), RATE, suppression="homogeneous")
    assert HomogeneousField(1) in forced.chain.stages
    assert "WARNING: it takes" in forced.reason
    plain = default_chain(planar(), RATE, suppression="none", low_pass=None, line=60.0)
    assert plain.chain.stages == (MaskBad(), Mains(60.0))
    slow = default_chain(planar(), 100.0, low_pass=40.0)
    assert not any(isinstance(s, Mains) for s in slow.chain.stages)


def test_the_impossible_is_refused_before_the_first_block() -> None:
    with pytest.raises(ValueError, match=r"below|between 0 and 500 Hz.*got 500"):
        default_chain(planar(), RATE, low_pass=500.0)
    with pytest.raises(ValueError, match="mains at 600 Hz"):
        default_chain(planar(), RATE, line=600.0)
    with pytest.raises(ValueError, match=r"joint fit.*needs.*got 9"):
        default_chain(planar(3), RATE, suppression="joint")
    with pytest.raises(ValueError, match="suppression is one of"):
        default_chain(planar(), RATE, suppression="sss")  # type: ignore[arg-type]


def test_dead_channels_do_not_change_the_choice() -> None:
    base = with_references()
    dead = SensorArray(base.names, base.positions, base.axes, base.kinds, ("dead", "bad") + ("good",) * 46)
    assert JointFit() in default_chain(dead, RATE).chain.stages


def test_the_default_chain_cleans_a_grid_in_a_room() -> None:
    block, sensors = interference()
    chain = default_chain(sensors, RATE).chain
    step = chain.tapped()
    meter, alone = Shielding(), Shielding()
    for at in range(0, len(block), 20):
        taps = step(block.part(at, at + 20))
        meter(*taps)
        alone(taps[1], taps[2])
    joint = meter.result(1, 2)
    assert joint == alone.result()
    assert joint["1-40 Hz"] > 30
    assert joint["50 Hz"] > 30
    assert measure(Notch(50.0), sensors, RATE).heart_kept > 0.9
    assert len(grid(6, 0.04)) == 36


@pytest.mark.parametrize("least", [0, 7])
def test_the_lag_is_where_the_sums_of_products_are_highest(least: int) -> None:
    rng = np.random.default_rng(4)
    before = np.cumsum(rng.normal(size=(900, 3)), axis=0)
    before -= before.mean(axis=0)
    after = np.roll(before, 19, axis=0) + 0.1 * rng.normal(size=before.shape)
    n = len(before) - least - 50
    sums = np.array([np.sum(before[:n] * after[least + k : least + k + n]) for k in range(50)])
    left, top, right = sums[19 - least - 1 : 19 - least + 2]
    assert sums.argmax() == 19 - least
    wanted = 19 + 0.5 * (left - right) / (left - 2 * top + right)
    assert abs(lag(before, after, least, 50) - wanted) < 1e-6
