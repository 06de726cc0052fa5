"""The record that is characterised: some seconds of a stream's magnetometers, held whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import SensorArray

MOST_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Samples of `mag` and `ref` channels, in order; what was lost or masked is NaN."""

    data: NDArray[np.float64]  # (samples, n_channels) T
    rate: float  # Hz
    sensors: SensorArray
    first: int  # index in the stream of the first sample: the drive of a known coil counts from there
    arrivals: NDArray[np.int64]  # (blocks, 2): index after the last sample, monotonic ns when it had arrived

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.data) / self.rate

    def status(self) -> tuple[str, ...]:
        """Return `good` of each channel, or why it is not measured.

        `no signal`: constant, or not there for half of the time; `at its limit`: for 1 % of the time or more;
        else what was known before the first sample.
        """
        known = np.isfinite(self.data)
        highest = np.where(known, self.data, -np.inf).max(axis=0)
        lowest = np.where(known, self.data, np.inf).min(axis=0)
        alive = (known.mean(axis=0) > 0.5) & (highest > lowest)
        with np.errstate(invalid="ignore"):
            railed = (np.abs(self.data) >= self.sensors.limit * (1 - 1e-12)).mean(axis=0) > 0.01
        words = zip(self.sensors.status, alive.tolist(), railed.tolist(), strict=True)
        return tuple(
            before if before != "good" else "no signal" if not signal else "at its limit" if rail else "good"
            for before, signal, rail in words
        )

    def good(self) -> NDArray[np.bool_]:
        """Return the channels that can be measured: (n_channels,)."""
        return np.array([word == "good" for word in self.status()])


def gather(blocks: Iterable[Block], seconds: float, progress: Callable[[float, float], None] | None = None) -> Record:
    """Return the first `seconds` of a stream; a gap is filled with NaN.

    Raises
    ------
    InputError
        If there is no sample or no magnetometer, or the array or the rate changes on the way.
    """
    held: list[Block] = []
    for block in blocks:
        head = held[0] if held else block
        if block.rate != head.rate or not block.sensors.same_as(head.sensors):
            raise InputError("the array or its rate changed within the recording; characterise each part alone")
        held.append(block)
        if progress is not None:
            progress(min((block.stop - head.first) / head.rate, seconds), seconds)
        if block.stop - head.first >= seconds * head.rate:
            break
    if not held:
        raise InputError("the source holds no sample")
    return _joined(held, seconds)


def _joined(held: list[Block], seconds: float) -> Record:
    head = held[0]
    columns = head.sensors.of_kind("mag", "ref")
    if not len(columns):
        raise InputError("the source has no magnetometer; characterising an array needs `mag` or `ref` channels")
    total = int(min(held[-1].stop - head.first, np.ceil(seconds * head.rate)))
    if total * len(columns) * 8 > MOST_BYTES:
        raise InputError(
            f"{total / head.rate:.0f} s of {len(columns)} channels need more than 2 GB; give fewer --seconds"
        )
    data = np.full((total, len(columns)), np.nan)
    for block in held:
        start = block.first - head.first
        rows = block.data[: max(0, total - start), columns]
        if block.mask is not None:
            rows = np.where(block.mask[: len(rows), columns], np.nan, rows)
        data[start : start + len(rows)] = rows
    arrivals = np.array([(block.stop, block.t_ns) for block in held if block.t_ns], dtype=np.int64).reshape(-1, 2)
    return Record(data, head.rate, head.sensors.pick(columns), head.first, arrivals)
