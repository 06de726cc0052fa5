"""The chain that a session names: built, tried on the array, and weighed before the first block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from zeromag.block import Block
from zeromag.filters.chain_cost import chain_cost, stage_costs
from zeromag.filters.choose import Choice
from zeromag.filters.described import in_words, stages_of
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import KEEP
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage


def given_chain(described: Iterable[Mapping[str, Any]], sensors: SensorArray, rate: float) -> Choice:
    """Return the chain, and what it is in one line: with a warning and the number if it takes a tenth of the heart.

    Raises
    ------
    ValueError
        If a stage or setting is not known or cannot work on this array and rate; one sentence with the number.
    """
    stages = stages_of(described)
    if not stages or not isinstance(stages[0], MaskBad):
        raise ValueError(f"a chain begins with MaskBad, so that no bad sample comes in; this one is {in_words(stages)}")
    head = Block(data=np.zeros((1, len(sensors))), first=0, rate=rate, sensors=sensors)
    for stage in stages:
        stage.start(head)
    return Choice(Chain(stages), f"{in_words(stages)}, as the session says{_heart(stages, sensors, rate)}")


def _heart(stages: tuple[Stage, ...], sensors: SensorArray, rate: float) -> str:
    """Return what the stages leave of the heart, in words."""
    cost = chain_cost(stages, sensors, stage_costs(stages, sensors, rate))
    if np.isnan(cost.heart_kept):
        return ": no heart volume lies below this array"
    lost = 1 - cost.heart_kept
    words = (
        f": keeps {cost.heart_kept:.0%} of the heart, noise × {cost.noise_gain:.2f}, {1e3 * cost.delay_s:.1f} ms late"
    )
    return words + (f"; WARNING: it takes {lost:.0%} of the heart" if lost > 1 - KEEP else "")
