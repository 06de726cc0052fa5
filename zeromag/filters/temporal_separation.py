"""Temporal signal-space separation in a stream: what goes on inside and in the residual alike came from too near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.operator import Operator, Plan, SpatialStep, located, nothing
from zeromag.filters.separation import SignalSpaceSeparation, damped_inverse
from zeromag.sensors import SensorArray
from zeromag.stage import Step

HOP_S = 0.5  # the common directions are found anew at these places in the stream
RANK = 1e-12  # variance beside the largest below which a direction is rounding


@dataclass(frozen=True, slots=True)
class TemporalSeparation:
    """SSS without the waveforms that its inside shares with its residual (Taulu & Simola 2006).

    Over the last `window` seconds the waveforms of both are compared by their covariances; those with a canonical
    correlation above `correlation` are taken out of the inside. A waveform of the residual is a weighted sum of
    channels, so taking it out is one more spatial operator: nothing is delayed, where offline programs wait for the
    whole window. Plain SSS until the first window is half full.
    """

    inner: int = 4
    outer: int = 2
    origin: tuple[float, float, float] | None = None  # m
    window: float = 10.0  # s
    correlation: float = 0.98
    damping: float = 0.0

    def __post_init__(self) -> None:
        self.spatial()
        if not self.window >= 2 * HOP_S:
            raise ValueError(f"the window must be at least {2 * HOP_S:g} s, got {self.window}")
        if not 0 < self.correlation < 1:
            raise ValueError(f"the correlation must lie between 0 and 1, got {self.correlation}")

    def spatial(self) -> SignalSpaceSeparation:
        """Return the separation without time."""
        return SignalSpaceSeparation(self.inner, self.outer, self.origin, self.damping)

    def start(self, head: Block) -> Step:
        """Return the running separation."""
        rows = located(head.sensors, "mag", "ref")

        def planned(covariance: NDArray[np.float64], usable: NDArray[np.bool_]) -> Operator:
            return temporal_operator(self, head.sensors, covariance, usable)

        return WindowStep(self.spatial().plan(head.sensors), planned, rows, self.window, head)


@kernel
def _gather(
    x: F64, bad: BOOL, start: int, stop: int, rows: I64, zero: F64, total: F64, square: F64, spoilt: BOOL
) -> None:
    """Add samples about `zero` to sums and to the lower half of their products."""
    n = len(rows)
    row = np.empty(n)
    for t in range(start, stop):
        for c in range(n):
            value = x[t, rows[c]]
            if bad[t, rows[c]] or not np.isfinite(value):
                spoilt[c] = True
                row[c] = 0.0
                continue
            if np.isnan(zero[c]):
                zero[c] = value
            row[c] = value - zero[c]
            total[c] += row[c]
        for c in range(n):
            value = row[c]
            for k in range(c + 1):
                square[c, k] += value * row[k]


class WindowStep:
    """A spatial operator planned anew twice a second, from the covariances of the newest `window` seconds.

    `plan` holds until the window is half full; then `planned` is given the covariance (n, n) of the columns `rows`
    and which of them can be used (n,).
    """

    def __init__(
        self,
        plan: Plan,
        planned: Callable[[NDArray[np.float64], NDArray[np.bool_]], Operator],
        rows: NDArray[np.int64],
        window: float,
        head: Block,
    ) -> None:
        self._planned = planned
        self._step = SpatialStep(plan, head)
        self._rows = rows
        self._origin = head.first
        self._hop = max(4, round(HOP_S * head.rate))
        self._hops = max(2, round(window / HOP_S))
        n = len(rows)
        self._zero = np.full(n, np.nan)
        self._total, self._square = np.zeros((self._hops, n)), np.zeros((self._hops, n, n))
        self._spoilt = np.zeros((self._hops, n), dtype=np.bool_)
        self._done = 0

    def __call__(self, block: Block) -> Block:
        """Return the block with the operator of its own time applied."""
        bad = bad_samples(block)
        parts: list[NDArray[np.float64]] = []
        at = 0
        while at < len(block):
            place = (block.first + at - self._origin) % self._hop
            stop = min(len(block), at + self._hop - place)
            whole = at == 0 and stop == len(block)
            parts.append(self._step(block if whole else block.part(at, stop)).data)
            k = self._done % self._hops
            _gather(block.data, bad, at, stop, self._rows, self._zero, self._total[k], self._square[k], self._spoilt[k])
            if place + stop - at == self._hop:
                self._turn()
            at = stop
        return block.with_data(parts[0] if len(parts) == 1 else np.concatenate(parts))

    def _turn(self) -> None:
        """End a hop: plan anew from the window, and empty the oldest hop for the next."""
        self._done += 1
        filled = min(self._done, self._hops)
        if filled >= self._hops // 2:
            sums, square = self._total.sum(axis=0), self._square.sum(axis=0)
            count = filled * self._hop
            covariance = np.tril(square) + np.tril(square, -1).T - np.outer(sums, sums) / count
            self._step.replan(self._plan(covariance, np.logical_not(self._spoilt.any(axis=0))))
        k = self._done % self._hops
        self._total[k], self._square[k], self._spoilt[k] = 0.0, 0.0, False

    def _plan(self, covariance: NDArray[np.float64], whole: NDArray[np.bool_]) -> Plan:
        def planned(good: NDArray[np.bool_]) -> Operator:
            usable = good[self._rows] & whole
            if not usable.any():
                usable = good[self._rows]
            return self._planned(covariance, usable)

        return planned


def temporal_operator(
    settings: TemporalSeparation,
    sensors: SensorArray,
    covariance: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> Operator:
    """Return the operator for one window.

    `covariance` (n, n) of the located `mag` and `ref` channels over the window, `usable` (n,) of them; inner
    amplitudes a = P y and residual r = Qᵀ y are compared.
    """
    rows = located(sensors, "mag", "ref")
    inner, outer = settings.spatial().bases(sensors, rows)
    both = np.hstack([inner, outer])[usable]
    if len(both) < both.shape[1]:
        return nothing()
    unmix = damped_inverse(both, settings.damping)[: inner.shape[1]]
    residual = np.linalg.svd(both, full_matrices=True)[0][:, both.shape[1] :]
    part = covariance[np.ix_(usable, usable)]
    unmix = without_common(unmix, residual, part, settings.correlation)
    is_mag = np.array([sensors.kinds[c] == "mag" for c in rows.tolist()])
    return Operator(rows[usable], rows[is_mag], inner[is_mag], np.ascontiguousarray(unmix), 0.0)


def without_common(
    inside: NDArray[np.float64], other: NDArray[np.float64], covariance: NDArray[np.float64], correlation: float
) -> NDArray[np.float64]:
    """Return `inside` (n_a, n) without the waveforms that it shares with `other` (n, n_r): (n_a, n).

    a = inside·y and r = otherᵀ y are compared over the window by the `covariance` (n, n) of y: pairs of waveforms
    cᵀa and bᵀr of unit size that correlate beyond the limit are common, and  â = a - C_ar b bᵀ r.
    """
    if not other.shape[1]:
        return inside
    across = inside @ covariance @ other
    white_in, white_out = _whiten(inside @ covariance @ inside.T), _whiten(other.T @ covariance @ other)
    _, alike, right = np.linalg.svd(white_in.T @ across @ white_out, full_matrices=False)
    common = white_out @ right[alike > correlation].T
    return np.asarray(inside - across @ common @ common.T @ other.T, dtype=np.float64)


def _whiten(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return W with Wᵀ C W = I on the directions that are more than rounding: (n, rank)."""
    size, vectors = np.linalg.eigh(covariance)
    kept = size > RANK * max(float(size[-1]), 0.0)
    return np.ascontiguousarray(vectors[:, kept] / np.sqrt(size[kept]))
