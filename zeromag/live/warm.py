"""Every kernel made ready before the first sample comes: compiled, once a machine, or loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zeromag.acquire.simulate import simulation
from zeromag.mapping.measures import Measures
from zeromag.scan.scan import Scan
from zeromag.scan.thinned import Thinning
from zeromag.session import Session

BEHIND = 15  # blocks' worth of compiling that comes after the last of them
RATE = 90.0  # beats a minute
HEART = f"sim:adult?seconds=8&rate=250&heart_rate={RATE:g}"


def warm(progress: Callable[[int, int], None]) -> None:
    """Take a small made-up heart through all that a stream may need, so that nothing is compiled once samples flow."""
    blocks = list(simulation(HEART, block=50).blocks())
    scan, thinning = Scan(blocks[0], Session()), Thinning(2)
    for done, block in enumerate(blocks, 1):
        scan(block)
        thinning(block)  # as streams of more than 2 kHz are
        progress(done, len(blocks) + BEHIND)
    scan.live_map()
    for average in (one for one in scan.averages() if one.main):
        Measures(average, scan.mapper)(average.wave, 60 / RATE)
        operator = scan.mapper.operator_for(average)
        by_moments = replace(operator, moments=np.eye(len(operator.value)))  # as with more channels than moments
        by_moments.live(average.time[:1], average.wave[:1])
    progress(len(blocks) + BEHIND, len(blocks) + BEHIND)
