"""Shielding: how much weaker the interference is behind a stage than before it, measured on the stream."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block

WINDOW_S = 0.4
KEPT = 750  # newest windows: 5 min
QUIET = 1 / 3  # of the windows: between the beats
BROAD = (1.0, 40.0)  # Hz
FLOOR = (10.0, 40.0)  # Hz, where the noise floor is read
TONE = 4.0  # Hz to either side of a line
MOST = 64  # channels: an array's others say the same


class Shielding:
    """Compares the taps of a chain (or input and output of one stage) on the `mag` channels, per band, between beats.

    All are cut into Hann windows of 0.4 s, one after the other at fixed places in the stream; of these only the
    third with the least power behind counts, which leaves the beats out. What remains there of
    sensor noise and heart counts as interference, so the figure is a lower bound. A channel counts in the windows
    that are good throughout behind the last tap.
    """

    def __init__(self, line: float = 50.0) -> None:
        self._line = line
        self._last: Block | None = None
        self._columns: slice | NDArray[np.int64] = slice(0)
        self._rows = np.zeros((0, 0, 0))  # (window, taps, channels) T
        self._bad = np.zeros((0, 0), dtype=np.bool_)  # (window, channels)
        self._taken = 0
        self._powers: deque[NDArray[np.float64]] = deque(maxlen=KEPT)  # (bands, taps) of each window
        self._floors: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._bands: list[tuple[str, NDArray[np.bool_]]] = []
        self._floor_bins = np.zeros(0, dtype=np.bool_)
        self._rate = 1.0
        self._waves = np.zeros((0, 0))  # (cosines then sines of the bins and the mean, window), with their taper
        self._constant = np.zeros((0, 1))  # what the cosines and sines see of a mean of one

    def __call__(self, *taps: Block) -> None:
        """Take the same span at each tap, the chain's input first; a gap begins a new run of windows."""
        before, behind = taps[0], taps[-1]
        if not before.follows(self._last):
            self._begin(before, len(taps))
        self._last = before
        if self._rows.shape[2] == 0:
            return
        size, at = len(self._rows), 0
        while at < len(before):
            room = min(size - self._taken, len(before) - at)
            here, there = slice(self._taken, self._taken + room), slice(at, at + room)
            for k, tap in enumerate(taps):
                self._rows[here, k] = tap.data[there, self._columns]
            self._bad[here] = False if behind.mask is None else behind.mask[there, self._columns]
            self._taken += room
            at += room
            if self._taken == size:
                self._measure()
                self._taken = 0

    def _begin(self, head: Block, taps: int) -> None:
        columns = head.sensors.of_kind("mag")
        columns = columns[:: -(-len(columns) // MOST) or 1]
        steps = set(np.diff(columns).tolist()) or {1}
        evenly = len(columns) > 0 and len(steps) == 1
        self._columns = (
            slice(int(columns[0]), int(columns[-1]) + 1, steps.pop()) if evenly else columns
        )  # a slice is copied faster
        size = max(16, round(WINDOW_S * head.rate) // 2 * 2)
        self._rows = np.zeros((size, taps, len(columns)))
        self._bad = np.zeros((size, len(columns)), dtype=np.bool_)
        self._taken = 0
        self._rate = head.rate
        frequency = np.asarray(np.fft.rfftfreq(size, 1 / head.rate), dtype=np.float64)
        wanted = np.any([bins for _, bins in self._lay_bands(frequency, head.rate)], axis=0)
        frequency = frequency[wanted]
        self._bands = self._lay_bands(frequency, head.rate)
        self._floor_bins = (frequency >= FLOOR[0]) & (frequency <= FLOOR[1])
        angle = 2 * np.pi / head.rate * frequency[:, None] * np.arange(size)
        taper = np.hanning(size)
        taper /= np.sqrt(np.sum(taper**2))
        # the last row is the mean, which the others would see through their taper
        self._waves = np.concatenate([np.cos(angle) * taper, np.sin(angle) * taper, np.full((1, size), 1 / size)])
        self._constant = self._waves[:-1].sum(axis=1, keepdims=True)

    def _lay_bands(self, frequency: NDArray[np.float64], rate: float) -> list[tuple[str, NDArray[np.bool_]]]:
        """Return which of the bins are those of each band that the rate can show."""
        bands = [(f"{BROAD[0]:g}-{BROAD[1]:g} Hz", (frequency >= BROAD[0]) & (frequency <= BROAD[1]))]
        tones = [tone for tone in (self._line, 2 * self._line, 3 * self._line) if tone + TONE < rate / 2]
        return bands + [(f"{tone:g} Hz", np.abs(frequency - tone) <= TONE) for tone in tones]

    def _measure(self) -> None:
        """Add one window: power per band at each tap, over the channels that are good throughout."""
        size, taps, channels = self._rows.shape
        with np.errstate(invalid="ignore", over="ignore"):  # what is no number makes none, in its own column alone
            # only the bins that are looked at, and no copy of the window: a tenth of the time of a whole transform
            whole = self._waves @ self._rows.reshape(size, -1)
            seen = (whole[:-1] - self._constant * whole[-1]).reshape(2, -1, taps, channels)
        good = np.isfinite(seen).all(axis=(0, 1, 2)) & ~self._bad.any(axis=0)
        if not good.any():
            return
        power = (seen[..., good] ** 2).sum(axis=0).mean(axis=2)
        found = np.array([power[bins].sum(axis=0) for _, bins in self._bands])
        self._powers.append(found)
        density = 2 / self._rate * float(np.mean(power[self._floor_bins, -1]))
        self._floors.append((density, 2 / size * float(found[0, -1])))

    def result(self, before: int = 0, behind: int = -1, windows: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Return dB per band from one tap to another, over these windows or its own quiet ones; at first empty."""
        if not self._powers:
            return {}
        powers = np.array(self._powers)[self._quiet(behind) if windows is None else windows].mean(axis=0)
        ratio = powers[:, before] / np.maximum(powers[:, behind], 1e-300)
        return {name: float(10 * np.log10(max(r, 1e-30))) for (name, _), r in zip(self._bands, ratio, strict=True)}

    def floor(self, windows: NDArray[np.int64] | None = None) -> tuple[float, float]:
        """Return the noise floor behind, mean over channels: T/√Hz from 10 to 40 Hz, and T rms from 1 to 40 Hz."""
        if not self._floors:
            return float("nan"), float("nan")
        chosen = self._quiet(-1) if windows is None else windows
        density, broad = np.sqrt(np.array(self._floors)[chosen].mean(axis=0))
        return float(density), float(broad)

    def _quiet(self, behind: int) -> NDArray[np.int64]:
        """Return the windows with the least power at a tap."""
        return quietest(np.array([[each[0, behind] for each in self._powers]]))

    def loudness(self) -> NDArray[np.float64]:
        """Return the power of each window behind the last tap, 1 to 40 Hz: (n_windows,)."""
        return np.array([each[0, -1] for each in self._powers])


def quietest(powers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the third of the windows that is quietest by the mean of its ranks behind each chain: (chains, windows).

    Of one chain, its own quiet third; of many, one third for all, so that what one of them lets through only now and
    then counts against it.
    """
    ranks = np.argsort(np.argsort(powers, axis=1, kind="stable"), axis=1).sum(axis=0)
    return np.argsort(ranks, kind="stable")[: max(1, round(QUIET * len(ranks)))].astype(np.int64)
