"""Maps over the averaged beat, made beside the painting as soon as there is a new average."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.mapper import Mapper
from zeromag.viz.feed import LiveMap
from zeromag.viz.scale import limit_above

STEP = 0.001  # s between two pictures


class Film:
    """The newest finished film; a new one is begun when the last is done and the average has changed."""

    def __init__(self, pixels: int = 48) -> None:
        self.maps: FieldMap | None = None
        self.limit = 1e-12  # T, one scale for the whole film
        self.why_not = "waiting for enough beats"
        self._mapper = Mapper(pixels=pixels, step=STEP)
        self._average: Average | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="zeromag film")
        self._work: Future[FieldMap] | None = None

    def see(self, average: Average | None) -> bool:
        """Take an average; return whether a new film is there."""
        new = self._work is not None and self._work.done()
        if new and self._work is not None:
            self._finish(self._work)
        if self._work is None and average is not None and average is not self._average and average.good.any():
            self._average = average
            self._work = self._worker.submit(self._mapper.map_average, average)
        return new

    def wait(self) -> None:
        """Stay until the film that is being made is done."""
        if self._work is not None:
            self._work.exception()

    def at(self, seconds: float) -> LiveMap | None:
        """Return the map nearest to a time from R."""
        maps = self.maps
        if maps is None:
            return None
        k = int(np.argmin(np.abs(maps.time - seconds)))
        parts = (np.asarray(values[k], dtype=np.float32) for values in (maps.bz, maps.bz_sd, maps.jx, maps.jy))
        return LiveMap(maps.grid, k, 0, *parts)

    def _finish(self, work: Future[FieldMap]) -> None:
        self._work = None
        try:
            self.maps = work.result()
        except (ValueError, InputError) as error:  # an array that carries no map says so in its message
            self.maps, self.why_not = None, str(error)
            return
        seen = float(np.abs(self.maps.bz[:, self.maps.grid.mask]).max(initial=0.0))
        self.limit = limit_above(seen) if seen > 0 else 1e-12
