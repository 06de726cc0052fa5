"""The block: a run of consecutive samples of one array, in tesla, never edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from zeromag.event import Event
from zeromag.sensors import SensorArray


class _Open:
    """A block while it is put together: the same slots without the lock."""

    __slots__ = ("counts", "data", "events", "first", "mask", "rate", "sensors", "t_ns")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Frozen samples on their way through the pipeline.

    `mask` is True where a sample must not be used: a stage carries it on, and whatever stands there in
    `data` is finite or NaN but never trusted. `events` are those that happened inside the block. `counts` come
    from `of_counts` alone and go when the values do, so that they never stand beside other values than theirs.
    """

    data: NDArray[np.float64]  # (n_samples, n_channels) T (ECG: V), read-only, row behind row in memory
    first: int  # index of the first sample in the stream, gaps counted
    rate: float  # Hz
    sensors: SensorArray
    mask: NDArray[np.bool_] | None = None  # (n_samples, n_channels); None: all good
    events: tuple[Event, ...] = ()
    t_ns: int = 0  # monotonic clock when the last sample had arrived; 0: not known
    counts: NDArray[np.int32] | None = field(init=False)  # times the quanta they are `data`, bit for bit; None: unknown

    def __post_init__(self) -> None:
        data = self.data
        if data.ndim != 2 or data.shape[0] == 0:
            raise ValueError(f"a block needs (samples, channels) with at least one sample, got {data.shape}")
        if data.dtype != np.float64:
            raise TypeError(f"a block holds float64, got {data.dtype}")
        if data.shape[1] != len(self.sensors):
            raise ValueError(f"a block of {len(self.sensors)} sensors got {data.shape[1]} columns")
        if not self.rate > 0:
            raise ValueError(f"rate must be above 0 Hz, got {self.rate}")
        object.__setattr__(self, "data", _kept(data))
        object.__setattr__(self, "counts", None)
        if self.mask is not None:
            object.__setattr__(self, "mask", self._fitting(self.mask))

    @classmethod
    def of_counts(
        cls,
        counts: NDArray[np.int32],
        first: int,
        rate: float,
        sensors: SensorArray,
        *,
        mask: NDArray[np.bool_] | None = None,
        events: tuple[Event, ...] = (),
        t_ns: int = 0,
    ) -> Self:
        """Return the block of a device's whole counts (n_samples, n_channels), each a quantum of its channel.

        Wire and journal take the counts as they are: half the bytes, and nobody has to look for them in the values.

        Raises
        ------
        TypeError, ValueError
            The counts are not int32, or do not fit the array, or one of its channels has no quantum.
        """
        if counts.dtype != _COUNTS:
            raise TypeError(f"counts are int32, got {counts.dtype}")
        if counts.ndim != 2 or counts.shape[1] != len(sensors):
            raise ValueError(f"counts of {len(sensors)} sensors are (samples, {len(sensors)}), got {counts.shape}")
        if not sensors.counted:
            raise ValueError("a block of counts needs a quantum above 0 of every channel")
        block = cls(counts * sensors.quantum, first, rate, sensors, mask, events, t_ns)
        object.__setattr__(block, "counts", _kept(counts))
        return block

    def __len__(self) -> int:
        return int(self.data.shape[0])

    @property
    def stop(self) -> int:
        """Index of the sample after the last."""
        return self.first + len(self)

    def follows(self, last: Block | None) -> bool:
        """Return whether this block continues `last` without a gap, on the same array and rate."""
        return (
            last is not None
            and self.first == last.stop
            and self.rate == last.rate
            and self.sensors.same_as(last.sensors)
        )

    def bad(self) -> NDArray[np.bool_]:
        """Return the mask, made when there was none: (n_samples, n_channels)."""
        return np.zeros(self.data.shape, dtype=np.bool_) if self.mask is None else self.mask

    def with_data(
        self,
        data: NDArray[np.float64],
        *,
        mask: NDArray[np.bool_] | None = None,
        events: tuple[Event, ...] = (),
    ) -> Self:
        """Return the same span with other values; a new `mask` replaces, new `events` are added."""
        if data.shape != self.data.shape or data.dtype != _FLOAT:
            raise ValueError(f"values of this block are float64 {self.data.shape}, got {data.dtype} {data.shape}")
        known = self.mask if mask is None else self._fitting(mask)
        return self._copy(_kept(data), None, self.first, known, self.events + events if events else self.events)

    def amended(
        self, *, first: int | None = None, events: tuple[Event, ...] | None = None, t_ns: int | None = None
    ) -> Self:
        """Return the same samples at another place or time, or with other events."""
        return self._copy(
            self.data,
            self.counts,
            self.first if first is None else first,
            self.mask,
            self.events if events is None else events,
            self.t_ns if t_ns is None else t_ns,
        )

    def part(self, start: int, stop: int) -> Self:
        """Return samples `start:stop`, counted from this block's first, with their events."""
        if not 0 <= start < min(stop, len(self)):
            raise ValueError(f"a part of {len(self)} samples holds at least one of them, got {start}:{stop}")
        begin, end = self.first + start, self.first + stop
        mask = None if self.mask is None else self.mask[start:stop]
        counts = None if self.counts is None else self.counts[start:stop]
        events = tuple(event for event in self.events if begin <= event.sample < end) if self.events else ()
        return self._copy(self.data[start:stop], counts, begin, mask, events)

    def _copy(
        self,
        data: NDArray[np.float64],
        counts: NDArray[np.int32] | None,
        first: int,
        mask: NDArray[np.bool_] | None,
        events: tuple[Event, ...],
        t_ns: int | None = None,
    ) -> Self:
        """Return a block of the same stream out of parts that are known to fit: a quarter of the time of checking."""
        new: Any = _NEW(_Open)
        new.data = data
        new.counts = counts
        new.first = first
        new.rate = self.rate
        new.sensors = self.sensors
        new.mask = mask
        new.events = events
        new.t_ns = self.t_ns if t_ns is None else t_ns
        new.__class__ = type(self)
        copied: Self = new
        return copied

    def _fitting(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a mask that fits the data, read-only."""
        if mask.shape != self.data.shape or mask.dtype != np.bool_:
            raise ValueError(f"mask must be bool {self.data.shape}, got {mask.dtype} {mask.shape}")
        return _kept(mask)


def joined(blocks: Sequence[Block]) -> Block:
    """Return consecutive blocks of one array as one."""
    first = blocks[0]
    masked = any(block.mask is not None for block in blocks)
    return Block(
        data=np.concatenate([block.data for block in blocks]),
        first=first.first,
        rate=first.rate,
        sensors=first.sensors,
        mask=np.concatenate([block.bad() for block in blocks]) if masked else None,
        events=tuple(event for block in blocks for event in block.events),
        t_ns=blocks[-1].t_ns,
    )


Kept = TypeVar("Kept", NDArray[np.float64], NDArray[np.int32], NDArray[np.bool_])


def _kept(values: Kept) -> Kept:
    """Return the values read-only and row behind row: another layout would compile every kernel anew, mid-stream."""
    flags = values.flags
    if flags.c_contiguous:
        flags.writeable = False
        return values
    return _kept(np.ascontiguousarray(values))


_FLOAT, _COUNTS = np.dtype(np.float64), np.dtype(np.int32)
_NEW = object.__new__
