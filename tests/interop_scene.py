"""A recording with everything a format must carry: references, ECG, a bad channel, a gap, masks, marks, odd values."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from zeromag.acquire.recorded import Recorded
from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.event import Event
from zeromag.sensors import SensorArray

RATE = 1000.0
SAMPLES, GAP = 4000, (1500, 1637)
MARK, BAD = 2500, (3000, 3050)


def everything() -> Recorded:
    """Four seconds; the gap lies at GAP, `S2` is masked in BAD, the mark `cough` at MARK."""
    names = ("S1", "S2", "S3", "S4", "R1", "ECG", "T")
    nowhere = [np.nan] * 3
    positions = [[-0.04, 0, 0], [0.04, 0, 0], [0, 0.04, 0], [0, -0.04, 0.0123456789], [0, 0, 0.25], nowhere, nowhere]
    axes = [[0, 0, 1.0]] * 3 + [[0, 0.6, 0.8], [1.0, 0, 0], nowhere, nowhere]
    sensors = SensorArray(
        names=names, positions=np.array(positions), axes=np.array(axes),
        kinds=("mag", "mag", "mag", "mag", "ref", "ecg", "stim"),
        status=("good", "good", "bad", "good", "good", "good", "good"),
        coils=(8002, 8002, 8002, 2000, 8101, 0, 0),
    )  # fmt: skip
    random = np.random.default_rng(5)
    data = random.normal(scale=1e-12, size=(SAMPLES, 7)) + 50e-6  # the Earth's field below a heart
    data[:, 5] = random.normal(scale=1e-3, size=SAMPLES)
    data[:, 6] = np.arange(SAMPLES) // 1000

    def chunks(samples: int) -> Generator[Block, None, None]:
        for begin, end in ((0, GAP[0]), (GAP[1], SAMPLES)):
            for first in range(begin, end, samples):
                stop = min(first + samples, end)
                index = np.arange(first, stop)
                mask = np.zeros((stop - first, 7), dtype=np.bool_)
                mask[(index >= BAD[0]) & (index < BAD[1]), 1] = True
                marks = (Event(MARK, "mark", 10, why="cough"),) if first <= MARK < stop else ()
                yield Block(data[first:stop].copy(), first, RATE, sensors, mask if mask.any() else None, marks)

    return Recorded(sensors, RATE, chunks, samples=SAMPLES, block=100)


def joined(source: Source) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample index (n,), data (n, channels) and mask of everything a source gives."""
    blocks = list(source.blocks())
    index = np.concatenate([np.arange(block.first, block.stop) for block in blocks])
    return index, np.concatenate([block.data for block in blocks]), np.concatenate([block.bad() for block in blocks])
