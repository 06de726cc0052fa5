"""How old a block is, measured beside the freshest one seen: the clocks of two machines differ."""

from __future__ import annotations

import time

from zeromag.acquire.frame import Header

STALE_SECONDS = 0.2  # an eye is shown nothing older while newer waits
_CREEP = 1e-6  # s a block: two clocks drift apart, so the smallest lag ever seen must not hold for ever


class Freshness:
    """Remembers the smallest lag; `stale` is asked for every block in turn."""

    def __init__(self) -> None:
        self._least = float("inf")

    def stale(self, header: Header) -> bool:
        """Return whether this block is older than an eye wants."""
        lag = time.monotonic() - header.t_ns * 1e-9
        self._least = min(self._least + _CREEP, lag)
        return lag - self._least > STALE_SECONDS
