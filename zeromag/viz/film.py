"""Maps over the averaged beat, made beside the painting as soon as there is a new average."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.poles import Poles, poles_of_maps
from zeromag.viz.feed import LiveMap
from zeromag.viz.scale import limit_above

STEP = 0.001  # s between two pictures
TRAIL = 0.05  # s of the way of the poles that is seen at once


class Film:
    """The newest finished film; a new one is begun when the last is done and the average has changed."""

    def __init__(self, pixels: int = 48) -> None:
        self.maps: FieldMap | None = None
        self.track: list[Poles] = []  # one of each map
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
            self._average, self.why_not = average, "the film is being made"
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

    def trajectory(self, seconds: float, limit: float) -> list[Poles]:
        """Return the poles from a little before a time from R up to it, where the field is above `limit` (T)."""
        if self.maps is None:
            return []
        last = int(np.argmin(np.abs(self.maps.time - seconds)))
        first = int(np.searchsorted(self.maps.time, self.maps.time[last] - TRAIL))
        return [pair for pair in self.track[first : last + 1] if max(pair.plus_field, -pair.minus_field) > limit]

    def _finish(self, work: Future[FieldMap]) -> None:
        self._work = None
        try:
            self.maps = work.result()
        except (ValueError, InputError) as error:  # an array that carries no map says so in its message
            self.maps, self.why_not = None, str(error)
            return
        self.track = poles_of_maps(self.maps.grid, np.asarray(self.maps.bz, dtype=np.float64))
        seen = float(np.abs(self.maps.bz[:, self.maps.grid.mask]).max(initial=0.0))
        self.limit = limit_above(seen) if seen > 0 else 1e-12
