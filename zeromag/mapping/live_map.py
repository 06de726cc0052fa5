"""The map of the stream as it comes: each sample by the operator of the channels that are good there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from zeromag._jit import BOOL
from zeromag.block import Block
from zeromag.mapping.field_map import FieldMap
from zeromag.sensors import SensorArray

if TYPE_CHECKING:
    from zeromag.mapping.mapper import ArrayMap, Mapper

Begin: TypeAlias = Callable[[Callable[[], None]], Future[None] | None]  # begins work beside the stream; None: not now


class LiveMap:
    """Maps of the stream as it comes; a sample's map does not depend on the block it came in."""

    def __init__(self, settings: Mapper, head: Block) -> None:
        self._settings, self._begin = settings, head.first
        self._map: ArrayMap | None = None  # made with the first map: an array without one may still be scanned
        self._noise = np.full(len(head.sensors), settings.noise)
        self._making: Future[None] | None = None

    def ready(self, block: Block, begin: Begin) -> bool:
        """Return whether the map of the block's newest sample can be had at once.

        If not, what it needs is made beside the stream as soon as `begin` does so: a fifth of a second of work, when
        a channel turns bad; with a thousand channels more than one.

        Raises
        ------
        ValueError
            If the array, or what is left of it, carries no map; one sentence.
        """
        if self._making is not None:
            if not self._making.done():
                return False
            made, self._making = self._making, None
            made.result()
        good = _all_good(block.part(len(block) - 1, len(block)))
        if self._map is not None and self._map.has(good, self._noise):
            return True
        self._making = begin(lambda: self._make(block.sensors, good))
        return False

    def _make(self, sensors: SensorArray, good: BOOL) -> None:
        if self._map is None:
            self._map = self._settings.of(sensors)
        self._map.operator(good, self._noise).make_light()

    def __call__(self, block: Block) -> FieldMap:
        """Return the map of the block's newest sample, on the channels that are good there.

        Raises
        ------
        ValueError
            If the array, or what is left of it, carries no map; one sentence.
        """
        return self.samples(block.part(len(block) - 1, len(block)))

    def samples(self, block: Block) -> FieldMap:
        """Return a map of every sample, on the channels that are good in all of them."""
        if self._map is None:
            self._map = self._settings.of(block.sensors)
        operator = self._map.operator(_all_good(block), self._noise)
        time = (np.arange(block.first, block.stop) - self._begin) / block.rate
        return operator.live(time, block.data)


def _all_good(block: Block) -> BOOL:
    """Return which channels are good in all of a block's samples."""
    return np.asarray((np.isfinite(block.data) & ~block.bad()).all(axis=0), dtype=np.bool_)
