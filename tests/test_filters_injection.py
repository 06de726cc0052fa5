"""The known heart beside the stream: it says what is left, whatever the blocks, and leaves the stream itself alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.arrays import planar, with_references
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.filters import BeatBaseline, HighPass, HomogeneousField, JointFit, LowPass, MaskBad, measure
from zeromag.filters.injection import Injection
from zeromag.pipeline import Chain
from zeromag.scan.cleaning_log import WHOLE, CleaningLog
from zeromag.sensors import SensorArray

RATE = 1000.0


def quiet(sensors: SensorArray, seconds: float = 14.0) -> Block:
    rng = np.random.default_rng(0)
    data = 1e-9 * rng.normal(size=len(sensors)) + 0.3e-12 * rng.normal(size=(round(seconds * RATE), len(sensors)))
    return Block(data=data, first=123, rate=RATE, sensors=sensors)


def injected(chain: Chain, block: Block, size: int = 100, gap: slice | None = None) -> Injection:
    meter, taps = Injection(chain, block), chain.tapped()
    for at in range(0, len(block), size):
        if gap is None or not gap.start <= at < gap.stop:
            meter(taps(block.part(at, min(at + size, len(block)))))
    return meter


def test_each_stage_and_the_whole_are_what_they_are_known_to_be() -> None:
    sensors = planar()
    meter = injected(Chain((MaskBad(), HomogeneousField(2), LowPass(60.0))), quiet(sensors))
    costs = [meter.cost(stage) for stage in (0, 1, 2, None)]
    mask, eater, smooth, whole = (cost for cost in costs if cost is not None)
    assert (mask.heart_kept, mask.delay_s) == (pytest.approx(1.0), 0.0)
    assert eater.heart_kept == pytest.approx(measure(HomogeneousField(2), sensors, RATE).heart_kept, abs=0.1)
    assert smooth.delay_s == pytest.approx(measure(LowPass(60.0), sensors, RATE).delay_s, abs=2e-4)
    assert smooth.heart_kept == pytest.approx(1.0, abs=0.03)
    assert whole.heart_kept == pytest.approx(eater.heart_kept * smooth.heart_kept, rel=0.05)
    assert whole.map_error > 0.5
    assert whole.map_angle > 20


def test_it_does_not_depend_on_blocks_and_lives_through_a_gap() -> None:
    chain = Chain((MaskBad(), JointFit(), LowPass()))
    block = quiet(with_references())
    one, two = (injected(chain, block, size).cost() for size in (10, 1000))
    assert one is not None
    assert one == two or np.isnan(one.noise_gain)
    assert [getattr(one, key) for key in ("heart_kept", "map_error", "map_angle", "delay_s")] == [
        getattr(two, key) for key in ("heart_kept", "map_error", "map_angle", "delay_s")
    ]
    broken = injected(chain, block, 100, slice(9000, 9500))
    cost = broken.cost()
    assert cost is not None
    assert cost.heart_kept == pytest.approx(one.heart_kept, abs=0.02)


def test_where_there_is_nothing_to_say_nothing_is_said() -> None:
    block = quiet(planar(), 8.0)
    assert injected(Chain((MaskBad(),)), block.part(0, 3000)).cost() is None  # no beat yet
    behind = injected(Chain((MaskBad(), HighPass(0.05), BeatBaseline())), block)
    assert behind.cost(2) is None
    assert behind.cost(1) is not None
    nowhere = SensorArray(("A", "B", "C"), np.full((3, 3), np.nan), np.full((3, 3), np.nan))
    assert injected(Chain((MaskBad(),)), quiet(nowhere, 8.0)).cost() is None


def test_a_minute_is_enough_for_a_live_stream() -> None:
    block = quiet(planar(), 12.0)
    chain = Chain((MaskBad(), LowPass()))
    short, taps = Injection(chain, block, seconds=8.0), chain.tapped()
    for at in range(0, len(block), 100):
        short(taps(block.part(at, at + 100)))
    whole = injected(chain, block.part(0, 8100))
    assert short.beats == whole.beats > 0
    assert short.cost().heart_kept == whole.cost().heart_kept  # type: ignore[union-attr]


def test_the_summary_has_every_figure_for_each_stage_and_the_whole() -> None:
    sim = simulation("sim:adult?seconds=10", block=100)
    blocks = list(sim.blocks())
    chain = Chain((MaskBad(), JointFit(), LowPass()))
    log, taps = CleaningLog(chain, blocks[0], 50.0), chain.tapped()
    assert log.report_if_known() == []
    for block in blocks:
        log(taps(block))
    rows = log.report()
    assert [row["stage"] for row in rows] == ["MaskBad", "JointFit", "LowPass", WHOLE]
    for row in rows:
        assert {"1-40 Hz", "50 Hz"} <= set(row["shielding_db"])
        for key in ("heart_kept", "map_correlation", "map_error", "map_angle", "noise_gain", "delay_s"):
            assert np.isfinite(row[key])
        assert row["injected"]["beats"] >= 3
        assert row["injected"]["heart_kept"] == pytest.approx(row["heart_kept"], abs=0.05)
        assert row["injected"]["delay_s"] == pytest.approx(row["delay_s"], abs=2e-4)
    assert rows[-1]["delay_s"] == pytest.approx(sum(row["delay_s"] for row in rows[:-1]))
    json.dumps(rows, allow_nan=False)


def test_a_very_wide_stream_is_not_doubled() -> None:
    sensors = planar(16, 0.02)
    head = Block(data=np.zeros((10, 256)), first=0, rate=RATE, sensors=sensors)
    log = CleaningLog(Chain((MaskBad(),)), head, 50.0)
    log(Chain((MaskBad(),)).tapped()(head))
    assert log.report()[-1]["injected"] is None
