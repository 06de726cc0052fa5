"""A look at the room: the first seconds of a stream, and what any spatial operator would leave of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.candidate import Candidate, Remover
from zeromag.filters.injection import MOST
from zeromag.sensors import SensorArray

LOOK_S = 8.0
WINDOW_S = 0.4  # half overlapping: some lie between the beats
QUIET = 1 / 3  # of the windows
LATELY_S = 1.0  # a channel that was bad at the end does not count
FEWEST = 12  # windows, below which nothing is said
LOW, HIGH = 1.0, 39.0  # Hz; from 40 Hz on the window's main lobe reaches a line at 50 Hz, which `Mains` takes
BLACKMAN_HARRIS = (0.35875, -0.48829, 0.14128, -0.01168)  # side lobes of -92 dB, so that no line leaks in (Harris 1978)


class RoomLook:
    """Callable with the stream as it comes to the spatial stage; `done` after eight seconds of it, at a fixed sample.

    Keeps the spectra of windows of 0.4 s, a straight line taken off each. What an operator on channels would leave
    of them is then a product: any number of operators are compared without running one. All are judged on the same
    windows, the third with the least power behind the operator that runs, which leaves the beats out.
    """

    def __init__(self, head: Block) -> None:
        self.until = head.first + round(LOOK_S * head.rate)
        self.seconds = LOOK_S
        self._rate = head.rate
        self._size = max(16, round(WINDOW_S * head.rate) // 2 * 2)
        angle = 2 * np.pi * np.arange(self._size) / self._size
        self._window = np.sum([a * np.cos(k * angle) for k, a in enumerate(BLACKMAN_HARRIS)], axis=0)[:, None]
        frequency = np.fft.rfftfreq(self._size, 1 / head.rate)
        self._bins = (frequency >= LOW) & (frequency <= HIGH)
        self._rows = np.zeros((self._size, len(head.sensors)))
        self._bad = np.zeros(self._rows.shape, dtype=np.bool_)
        self._taken = 0
        self._spectra: list[NDArray[np.complex128]] = []  # (bins, channels) T of each window
        self._spoilt: list[NDArray[np.bool_]] = []  # (channels,) of each window
        self._lately = head.sensors.usable()  # no bad sample in the last second
        self._last: Block | None = None
        self.by_array: tuple[Remover | None, str] | None = None  # what the array alone asks for, and why
        self.known: list[Candidate] = []  # weighed on the array as it was found; the first one runs

    @staticmethod
    def affordable(head: Block) -> bool:
        """Return whether there are few enough samples a second for a look beside a live stream."""
        return len(head.sensors) * head.rate <= MOST

    def __call__(self, block: Block) -> None:
        """Take the next block; what comes after the look is let go."""
        if block.first >= self.until:
            return
        if not block.follows(self._last):
            self._taken = 0
        self._last = block
        bad = block.bad() | ~np.isfinite(block.data)
        recent = max(0, self.until - round(LATELY_S * self._rate) - block.first)
        self._lately &= ~bad[recent : self.until - block.first].any(axis=0)
        at = 0
        while at < min(len(block), self.until - block.first):
            room = min(self._size - self._taken, len(block) - at)
            here, there = slice(self._taken, self._taken + room), slice(at, at + room)
            self._rows[here], self._bad[here] = block.data[there], bad[there]
            self._taken += room
            at += room
            if self._taken == self._size:
                self._transform()

    def _transform(self) -> None:
        """Keep the spectrum of a full window, and its second half for the next one."""
        rows, half = np.where(self._bad, 0.0, self._rows), self._size // 2
        weights = self._window[:, 0] / float(self._window.sum())  # as the window sees it: no slope of a line's leaks in
        time = np.arange(self._size) - weights @ np.arange(self._size)
        level = rows - rows[0]
        level -= weights @ level
        level -= time[:, None] * ((weights * time) @ level / float((weights * time) @ time))
        scale = np.sqrt(2 / (self._size * float(np.sum(self._window**2))))
        self._spectra.append(scale * np.fft.rfft(level * self._window, axis=0)[self._bins])
        self._spoilt.append(np.logical_or.reduce(self._bad, axis=0))
        self._rows[:half], self._bad[:half] = self._rows[half:].copy(), self._bad[half:].copy()
        self._taken = half

    def found(self, sensors: SensorArray) -> SensorArray:
        """Return the array with the channels that were bad in the end told as such."""
        told = zip(sensors.status, self._lately.tolist(), strict=True)
        return replace(
            sensors, status=tuple("bad" if status == "good" and not good else status for status, good in told)
        )

    def left(self, operators: list[NDArray[np.float64]], sensors: SensorArray) -> NDArray[np.float64] | None:
        """Return what operators (n_channels, n_channels) leave in the quiet windows: (n_operators,) T rms, 1 to 39 Hz.

        The mean over the good `mag` channels of `sensors`; the first operator, which runs, says which windows are
        quiet. None if fewer than twelve windows are whole.
        """
        good = sensors.usable()
        mag = sensors.of_kind("mag")
        mag = mag[good[mag]]
        whole = [s for s, bad in zip(self._spectra, self._spoilt, strict=True) if not (bad & good).any()]
        if len(whole) < FEWEST or len(mag) == 0:
            return None
        spectra = np.where(good, np.array(whole), 0.0)  # (windows, bins, channels)
        powers = np.array([np.sum(np.abs(spectra @ matrix[mag].T) ** 2, axis=(1, 2)) for matrix in operators])
        quiet = np.argsort(powers[0], kind="stable")[: round(QUIET * len(whole))]
        left: NDArray[np.float64] = np.sqrt(powers[:, quiet].mean(axis=1) / len(mag))
        return left
