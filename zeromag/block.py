"""The block: a run of consecutive samples of one array, in tesla, never edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zeromag.event import Event
from zeromag.sensors import SensorArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Frozen samples on their way through the pipeline.

    `mask` is True where a sample must not be used: a stage carries it on, and whatever stands there in
    `data` is finite or NaN but never trusted. `events` are those that happened inside the block.
    """

    data: NDArray[np.float64]  # (n_samples, n_channels) T (ECG: V), read-only
    first: int  # index of the first sample in the stream, gaps counted
    rate: float  # Hz
    sensors: SensorArray
    mask: NDArray[np.bool_] | None = None  # (n_samples, n_channels); None: all good
    events: tuple[Event, ...] = ()
    t_ns: int = 0  # monotonic clock when the last sample had arrived; 0: not known

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
        if self.mask is not None:
            if self.mask.shape != data.shape or self.mask.dtype != np.bool_:
                raise ValueError(f"mask must be bool {data.shape}, got {self.mask.dtype} {self.mask.shape}")
            self.mask.setflags(write=False)
        data.setflags(write=False)

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
        return type(self)(
            data=data,
            first=self.first,
            rate=self.rate,
            sensors=self.sensors,
            mask=self.mask if mask is None else mask,
            events=self.events + events,
            t_ns=self.t_ns,
        )

    def part(self, start: int, stop: int) -> Self:
        """Return samples `start:stop`, counted from this block's first, with their events."""
        begin, end = self.first + start, self.first + stop
        return type(self)(
            data=self.data[start:stop],
            first=begin,
            rate=self.rate,
            sensors=self.sensors,
            mask=None if self.mask is None else self.mask[start:stop],
            events=tuple(event for event in self.events if begin <= event.sample < end),
            t_ns=self.t_ns,
        )


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
