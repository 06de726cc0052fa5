"""Gives recorded or computed blocks out as a device would: each when its last sample exists."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator

from zeromag.block import Block


def paced(
    blocks: Generator[Block, None, None],
    speed: float = 1.0,
    clock: Callable[[], int] = time.monotonic_ns,
    sleep: Callable[[float], object] = time.sleep,
) -> Generator[Block, None, None]:
    """Yield each block when its last sample would exist, stamped with that instant.

    A block that has a stamp already came from a device in its own time and passes as it is.
    A consumer that is late is not waited for: the stamps stay those of the samples, so that latency shows.

    Parameters
    ----------
    blocks
        Closed together with this generator.
    speed
        Times real time; `inf` gives blocks out at once, stamped when they are.
    clock, sleep
        Monotonic ns, and seconds; arguments so that tests need no time.
    """
    if not speed > 0:
        raise ValueError(f"speed must be above 0, got {speed}")
    try:
        start, origin = 0, None
        for block in blocks:
            if block.t_ns:
                yield block
                continue
            if origin is None:
                start, origin = clock(), block.first
            due = clock() if math.isinf(speed) else start + round((block.stop - origin) * 1e9 / (block.rate * speed))
            wait = due - clock()
            if wait > 0:
                sleep(wait * 1e-9)
            yield block.amended(t_ns=due)
    finally:
        blocks.close()
