"""Shielding: how much weaker the interference is behind a stage than before it, measured on the stream."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block

WINDOW_S = 0.4
KEPT = 1500  # newest windows: 5 min
QUIET = 1 / 3  # of the windows: between the beats
BROAD = (1.0, 40.0)  # Hz
FLOOR = (10.0, 40.0)  # Hz, where the noise floor is read
TONE = 4.0  # Hz to either side of a line


class Shielding:
    """Compares a stage's input and output on the `mag` channels, per band, between the beats.

    Both are cut into Hann windows of 0.4 s at fixed places in the stream, every second half overlapping; of
    these only the third with the least power behind counts, which leaves the beats out. What remains there of
    sensor noise and heart counts as interference, so the figure is a lower bound.
    """

    def __init__(self, line: float = 50.0) -> None:
        self._line = line
        self._last: Block | None = None
        self._rows: NDArray[np.float64] | None = None
        self._origin = self._taken = 0
        self._powers: deque[tuple[NDArray[np.float64], NDArray[np.float64]]] = deque(maxlen=KEPT)
        self._floors: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._bands: list[tuple[str, NDArray[np.bool_]]] = []
        self._floor_bins = np.zeros(0, dtype=np.bool_)
        self._rate = 1.0

    def __call__(self, before: Block, after: Block) -> None:
        """Take the same span before and behind the stage; a gap begins a new run of windows."""
        columns = before.sensors.of_kind("mag")
        if len(columns) == 0:
            return
        size = max(16, round(WINDOW_S * before.rate) // 2 * 2)
        if self._rows is None or not before.follows(self._last):
            self._rows = np.zeros((size, 2, len(columns)))
            self._taken = 0
            self._rate = before.rate
            self._bands = self._lay_bands(size, before.rate)
            frequency = np.fft.rfftfreq(size, 1 / before.rate)
            self._floor_bins = (frequency >= FLOOR[0]) & (frequency <= FLOOR[1])
        self._last = before
        both = np.stack([before.data[:, columns], after.data[:, columns]], axis=1)
        bad = (before.bad() | after.bad())[:, columns]
        both[np.broadcast_to(bad[:, None, :], both.shape)] = np.nan
        at = 0
        while at < len(both):
            room = min(size - self._taken, len(both) - at)
            self._rows[self._taken : self._taken + room] = both[at : at + room]
            self._taken += room
            at += room
            if self._taken == size:
                self._measure(self._rows)
                self._rows[: size // 2] = self._rows[size // 2 :]
                self._taken = size // 2

    def _lay_bands(self, size: int, rate: float) -> list[tuple[str, NDArray[np.bool_]]]:
        """Return the bins of each band that the rate can show."""
        frequency = np.fft.rfftfreq(size, 1 / rate)
        bands = [(f"{BROAD[0]:g}-{BROAD[1]:g} Hz", (frequency >= BROAD[0]) & (frequency <= BROAD[1]))]
        tones = [tone for tone in (self._line, 2 * self._line, 3 * self._line) if tone + TONE < rate / 2]
        return bands + [(f"{tone:g} Hz", np.abs(frequency - tone) <= TONE) for tone in tones]

    def _measure(self, rows: NDArray[np.float64]) -> None:
        """Add one window: power per band before and behind, over the channels that are good throughout."""
        good = np.isfinite(rows).all(axis=(0, 1))
        if not good.any():
            return
        part = rows[:, :, good]
        window = np.hanning(len(part))[:, None, None]
        spectrum = np.fft.rfft((part - part.mean(axis=0)) * window, axis=0)
        power = (spectrum.real**2 + spectrum.imag**2).mean(axis=2)
        found = np.array([power[bins].sum(axis=0) for _, bins in self._bands])
        self._powers.append((found[:, 0], found[:, 1]))
        scale = 2 / np.sum(window**2)
        density = scale / self._rate * float(np.mean(power[self._floor_bins, 1]))
        self._floors.append((density, scale / len(rows) * float(found[0, 1])))

    def result(self) -> dict[str, float]:
        """Return dB per band; empty before the first window."""
        if not self._powers:
            return {}
        before = np.array([each[0] for each in self._powers])
        after = np.array([each[1] for each in self._powers])
        quiet = self._quiet()
        ratio = before[quiet].mean(axis=0) / np.maximum(after[quiet].mean(axis=0), 1e-300)
        return {name: float(10 * np.log10(max(r, 1e-30))) for (name, _), r in zip(self._bands, ratio, strict=True)}

    def floor(self) -> tuple[float, float]:
        """Return the noise floor behind, mean over channels: T/√Hz from 10 to 40 Hz, and T rms from 1 to 40 Hz."""
        if not self._floors:
            return float("nan"), float("nan")
        density, broad = np.sqrt(np.array(self._floors)[self._quiet()].mean(axis=0))
        return float(density), float(broad)

    def _quiet(self) -> NDArray[np.int64]:
        """Return the windows with the least power behind."""
        after = np.array([each[1][0] for each in self._powers])
        return np.argsort(after)[: max(1, round(QUIET * len(after)))].astype(np.int64)
