"""Range and resolution of every channel: rails, headroom, step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.record import Record

RAILED = 3  # samples in a row at the same extreme are a rail


@dataclass(frozen=True, slots=True, eq=False)
class Digitiser:
    """What the converter and the sensor's range do to each channel."""

    largest: NDArray[np.float64]  # (n_channels,) T, largest |reading|
    limit: NDArray[np.float64]  # (n_channels,) T, declared range, or the rail that was found; inf: neither
    railed: NDArray[np.float64]  # (n_channels,) share of samples at the rail
    step: NDArray[np.float64]  # (n_channels,) T between neighbouring readings; 0: floats without one

    def noise(self, rate: float) -> NDArray[np.float64]:
        """Return the density of rounding, step/√12 spread up to half the rate: (n_channels,) T/√Hz."""
        density: NDArray[np.float64] = self.step / np.sqrt(6 * rate)
        return density


def digitiser(record: Record) -> Digitiser:
    """Return range and resolution as the readings show them."""
    columns = [_one(record.data[:, c], record.sensors.limit[c]) for c in range(len(record.sensors))]
    return Digitiser(*np.array(columns).T)


def _one(column: NDArray[np.float64], declared: float) -> tuple[float, float, float, float]:
    """Return largest, limit, railed share and step of one channel."""
    values = column[np.isfinite(column)]
    if not len(values):
        return float("nan"), float("inf"), float("nan"), float("nan")
    largest = float(np.abs(values).max())
    at_end = np.abs(values) >= largest * (1 - 1e-12)
    rail = _longest(at_end) >= RAILED and len(np.unique(values)) > RAILED
    limit = float(declared) if np.isfinite(declared) else (largest if rail else float("inf"))
    at_limit = np.abs(values) >= limit * (1 - 1e-12)
    return largest, limit, float(at_limit.mean()), _step(values)


def _longest(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _step(values: NDArray[np.float64]) -> float:
    """Return the largest step that every difference is a multiple of; 0 when there is none.

    Candidates are the smallest difference and its divisions: rounding in float32 files leaves 1 % of a step.
    """
    levels = np.unique(values)
    apart = np.diff(levels)
    apart = apart[apart > 1e-9 * np.abs(levels).max()]
    if len(apart) < 2:
        return 0.0
    least = float(np.percentile(apart, 1))
    part = apart[apart < 50 * least][:20000]
    for divisor in (1, 2, 3, 4, 5):
        counts = part / (least / divisor)
        if np.abs(counts - np.rint(counts)).max() < 0.05:
            whole = np.maximum(np.rint(counts), 1)
            return float(part.sum() / whole.sum())
    return 0.0
