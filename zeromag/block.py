"""The block: a run of consecutive samples of one array, in tesla, never edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

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
            object.__setattr__(self, "mask", _fitting(self.mask, data.shape))

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

        Wire and journal take the counts as they are: half the bytes, nobody has to look for them in the values,
        and values that nobody asks for are never made. They are kept, not copied, and cannot be written into any
        more: a device gives a fresh array each time.

        Raises
        ------
        TypeError, ValueError
            The counts are not int32, or do not fit the array, or one of its channels has no quantum.
        """
        shape, n = counts.shape, len(sensors.names)
        if counts.dtype != _COUNTS:
            raise TypeError(f"counts are int32, got {counts.dtype}")
        if len(shape) != 2 or shape[1] != n or not shape[0]:
            raise ValueError(f"counts of {n} sensors are (samples, {n}) with at least one sample, got {shape}")
        if not sensors.counted:
            raise ValueError("a block of counts needs a quantum above 0 of every channel")
        if not rate > 0:
            raise ValueError(f"rate must be above 0 Hz, got {rate}")
        counts.setflags(write=False)
        known = None if mask is None else _fitting(mask, shape)
        return _made(cls, None, counts, first, rate, sensors, known, events, t_ns)

    if not TYPE_CHECKING:  # or every misspelt attribute would pass

        def __getattr__(self, name: str) -> NDArray[np.float64]:
            """Return the values of counts, made the first time somebody asks; Python asks here for an empty slot."""
            if name != "data":
                raise AttributeError(f"a block has no {name}")
            data = np.multiply(self.counts, self.sensors.quantum, order="C")
            data.setflags(write=False)
            object.__setattr__(self, "data", data)
            return data

    def __len__(self) -> int:
        return len(self.data if self.counts is None else self.counts)

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
        shape = self.data.shape
        if data.shape != shape or data.dtype != _FLOAT:
            raise ValueError(f"values of this block are float64 {shape}, got {data.dtype} {data.shape}")
        known = self.mask if mask is None else _fitting(mask, shape)
        events = self.events + events if events else self.events
        return _made(type(self), _kept(data), None, self.first, self.rate, self.sensors, known, events, self.t_ns)

    def amended(
        self, *, first: int | None = None, events: tuple[Event, ...] | None = None, t_ns: int | None = None
    ) -> Self:
        """Return the same samples at another place or time, or with other events."""
        return _made(
            type(self),
            self._at_hand(),
            self.counts,
            self.first if first is None else first,
            self.rate,
            self.sensors,
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
        data = self._at_hand()
        values = None if data is None else data[start:stop]
        return _made(type(self), values, counts, begin, self.rate, self.sensors, mask, events, self.t_ns)

    def _at_hand(self) -> NDArray[np.float64] | None:
        """Return the values; None when they are to be made of the counts and nobody has asked yet."""
        if self.counts is None:
            return self.data
        try:
            values: NDArray[np.float64] = _VALUES(self)
        except AttributeError:
            return None
        return values


def _made(
    kind: type[Made],
    data: NDArray[np.float64] | None,
    counts: NDArray[np.int32] | None,
    first: int,
    rate: float,
    sensors: SensorArray,
    mask: NDArray[np.bool_] | None,
    events: tuple[Event, ...],
    t_ns: int,
) -> Made:
    """Return a block out of parts that are known to fit: a quarter of the time of checking."""
    new: Any = _NEW(_Open)
    if data is not None:
        new.data = data
    new.counts = counts
    new.first = first
    new.rate = rate
    new.sensors = sensors
    new.mask = mask
    new.events = events
    new.t_ns = t_ns
    new.__class__ = kind
    made: Made = new
    return made


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


def _fitting(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask of that shape, read-only."""
    if mask.shape != shape or mask.dtype != np.bool_:
        raise ValueError(f"mask must be bool {shape}, got {mask.dtype} {mask.shape}")
    return _kept(mask)


Made = TypeVar("Made", bound=Block)
Kept = TypeVar("Kept", NDArray[np.float64], NDArray[np.bool_])


def _kept(values: Kept) -> Kept:
    """Return the values read-only and row behind row: another layout would compile every kernel anew, mid-stream."""
    if not values.flags.c_contiguous:
        values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return values


_FLOAT, _COUNTS = np.dtype(np.float64), np.dtype(np.int32)
_NEW = object.__new__
_VALUES = vars(Block)["data"].__get__  # past `__getattr__`
