"""The digitiser: whole counts, rails, and how long a railed sensor needs to come back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Digitiser:
    """Readings to whole counts of each channel's quantum; a channel that hit its rail stays there for a while."""

    def __init__(self, quantum: NDArray[np.float64], limit: NDArray[np.float64], recovery: int) -> None:
        """Take quantum and limit (n_channels,) T and the samples a channel stays railed after the last one."""
        self._quantum = quantum
        self._most = np.rint(limit / quantum)
        self._recovery = recovery
        self._since = np.full(len(quantum), recovery + 1)  # samples since each channel was beyond its rail
        self._rail = np.zeros(len(quantum))

    def __call__(self, readings: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next readings (samples, n_channels) T as the device hands them over."""
        counts = np.rint(readings / self._quantum)
        np.clip(counts, -self._most, self._most, out=counts)
        if self._recovery:
            self._hold(counts)
        counts += 0.0  # a device knows no minus nought
        counts *= self._quantum
        return counts

    def _hold(self, counts: NDArray[np.float64]) -> None:
        """Keep channels on their rail, in place."""
        beyond = np.abs(counts) >= self._most
        if not beyond.any() and self._since.min() > self._recovery:
            return
        rows = np.arange(len(counts))[:, None]
        last = np.maximum.accumulate(np.where(beyond, rows, -1), axis=0)
        since = np.where(last >= 0, rows - last, rows + 1 + self._since)
        rail = np.where(last >= 0, np.take_along_axis(counts, np.maximum(last, 0), axis=0), self._rail)
        np.copyto(counts, rail, where=since <= self._recovery)
        self._since = np.minimum(since[-1], self._recovery + 1)
        self._rail = rail[-1]
