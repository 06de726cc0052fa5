"""What cleaning does to the ST segment."""

from __future__ import annotations

import numpy as np

from tests.hearts import RATE, TestHeart, as_blocks, planar, regular
from zeromag.filters.choose import default_chain
from zeromag.mapping.averager import Averager
from zeromag.mapping.beat import Beat


def test_the_default_chain_keeps_the_st_level() -> None:
    """Science §8.22: J + 60 to 80 ms moves by less than 2 % of R."""
    sensors, peaks, heart = planar(), regular(14.0, 0.8, spread=0.01), TestHeart()
    plateau = ((0.0, 0.012, 10.0, -8.0), (0.11, 0.022, 1.5, -1.2), (0.26, 0.04, 2.5, -2.2))
    time = np.arange(round(14 * RATE)) / RATE
    moments = np.sum([heart.beat(time - peak, plateau) for peak in peaks], axis=0)
    field = moments @ heart.gains(sensors).T
    field += np.random.default_rng(0).normal(scale=0.2e-12, size=field.shape)
    blocks = as_blocks(field, sensors, 1000)
    step = default_chain(sensors, RATE).chain.start(blocks[0])
    running = Averager().start(blocks[0])
    for block in blocks:
        running(step(block), [Beat(p * RATE) for p in peaks if block.first <= p * RATE < block.stop and p > 2.0])
    running.finish()
    (average,) = running.averages()
    beat = heart.beat(average.time, plateau) @ heart.gains(sensors).T
    beat -= beat[(average.time >= -0.10) & (average.time < -0.06)].mean(axis=0)
    level = (average.time >= 0.10) & (average.time <= 0.12)
    size = np.sqrt(np.mean(beat[average.at(0.0)] ** 2))
    moved = np.sqrt(np.mean((average.wave[level].mean(axis=0) - beat[level].mean(axis=0)) ** 2))
    kept = np.sqrt(np.mean(beat[level].mean(axis=0) ** 2))
    assert kept > 0.08 * size  # there is an ST level to lose
    assert moved / size < 0.02
