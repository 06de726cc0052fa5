"""Zapline: the line's spatial patterns, taken out of the part of the signal that the line lives in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.stage import Step

HOP_S = 1.0  # patterns are found anew at these places in the stream
KEPT_S = 10.0  # over so many seconds
FEWEST = 16  # channels
NEAR_HZ = 1.5  # of a harmonic
MOST = 8  # harmonics
RIDGE = 1e-2  # of the strongest component's power


@dataclass(frozen=True, slots=True)
class Zapline:
    """Splits channels by a boxcar of one line period, x = smooth + rest, and projects `count` patterns out of the rest.

    The patterns are those with the largest share of power at the harmonics of the line (DSS; de Cheveigné 2020).
    Here y = x - A Wᵀ rest, so that nothing is delayed. The first second passes as it is; new patterns come in
    linearly over a second.
    """

    line: float = 50.0  # Hz
    count: int = 1

    def __post_init__(self) -> None:
        if not self.line > 0:
            raise ValueError(f"the line frequency must be above 0 Hz, got {self.line}")
        if self.count < 1:
            raise ValueError(f"at least 1 pattern is taken out, got {self.count}")

    def start(self, head: Block) -> Step:
        """Return the running filter.

        Raises
        ------
        ValueError
            If there are fewer than 16 `mag` channels, or the line is not below half the rate.
        """
        n = len(head.sensors.of_kind("mag"))
        if n < FEWEST:
            raise ValueError(f"Zapline needs {FEWEST} mag channels, got {n}")
        if not self.line < head.rate / 2:
            raise ValueError(f"a line of {self.line:g} Hz cannot be seen at {head.rate:g} Hz")
        return _Zapline(self, head)


@kernel
def _zap(
    x: F64,
    bad: BOOL,
    start: int,
    stop: int,
    rows: I64,
    box: F64,
    past: F64,
    place: int,
    before: F64,
    after: F64,
    covariance: F64,
    rest: F64,
    out: F64,
) -> None:
    """Fade from operators `before` to `after` (row, column), gather the rest and its covariance (lower half).

    `past` (tap, channel) holds the newest sample first, NaN before a channel's first good one.
    """
    n, taps, every = len(rows), len(box), rest.shape[0]
    for t in range(start, stop):
        at = place + t - start
        for k in range(taps - 1, 0, -1):
            for c in range(n):
                past[k, c] = past[k - 1, c]
        for c in range(n):
            value = x[t, rows[c]]
            if bad[t, rows[c]] or not np.isfinite(value):
                rest[at, c] = 0.0  # past[0] still holds the last good sample
                continue
            if np.isnan(past[0, c]):
                for k in range(taps):
                    past[k, c] = value
            past[0, c] = value
            smooth = 0.0
            for k in range(taps):
                smooth += box[k] * (past[k, c] - value)  # about the sample: an offset of 50 µT costs no digits
            rest[at, c] = -smooth
        fade = (at + 1) / every
        for c in range(n):
            taken = 0.0
            for k in range(n):
                taken += (before[c, k] + fade * (after[c, k] - before[c, k])) * rest[at, k]
            out[t, rows[c]] = x[t, rows[c]] - taken
            value = rest[at, c]
            for k in range(c + 1):
                covariance[c, k] += value * rest[at, k]


class _Zapline:
    """Covariances of the newest seconds, and the operator that they ask for."""

    def __init__(self, settings: Zapline, head: Block) -> None:
        self._settings = settings
        self._rate, self._origin = head.rate, head.first
        rows = head.sensors.of_kind("mag")
        self._rows = rows[head.sensors.usable()[rows]]
        n, kept = len(self._rows), round(KEPT_S / HOP_S)
        self._box = _boxcar(head.rate / settings.line)
        self._past = np.full((len(self._box), n), np.nan)
        self._rest = np.zeros((round(HOP_S * head.rate), n))
        self._all, self._lines = np.zeros((kept, n, n)), np.zeros((kept, n, n))
        self._before, self._after = np.zeros((n, n)), np.zeros((n, n))
        self._done = 0
        self._turns = _turns(len(self._rest), head.rate, settings.line)

    def __call__(self, block: Block) -> Block:
        out = block.data.copy()
        bad = bad_samples(block)
        every = len(self._rest)
        at = 0
        while at < len(block):
            place = (block.first + at - self._origin) % every
            stop = min(len(block), at + every - place)
            k = self._done % len(self._all)
            _zap(
                block.data,
                bad,
                at,
                stop,
                self._rows,
                self._box,
                self._past,
                place,
                self._before,
                self._after,
                self._all[k],
                self._rest,
                out,
            )
            if place + stop - at == every:
                self._turn()
            at = stop
        return block.with_data(out)

    def _turn(self) -> None:
        """End a hop: find the patterns anew, and empty the oldest hop for the next."""
        spectrum = np.einsum("ft,tc->fc", self._turns, self._rest)
        self._lines[self._done % len(self._all)] = np.einsum("fc,fk->ck", spectrum, spectrum.conj()).real
        self._done += 1
        square = self._all.sum(axis=0)
        self._before = self._after
        self._after = _operator(np.tril(square) + np.tril(square, -1).T, self._lines.sum(axis=0), self._settings.count)
        k = self._done % len(self._all)
        self._all[k], self._lines[k] = 0.0, 0.0


def _operator(covariance: NDArray[np.float64], line: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return A Wᵀ: the projection of the rest on its `count` most line-like components, by least squares.

    Whitened with a ridge: bare, a chance correlation of 1 % between line and noise tilts a component so far into
    the quiet directions that taking it out brings twice the sensors' noise in.
    """
    size, vectors = np.linalg.eigh(covariance)
    if not size[-1] > 0 or len(size) <= count:
        return np.zeros_like(covariance)
    white = vectors / np.sqrt(np.maximum(size, 0.0) + RIDGE * size[-1])
    _, turn = np.linalg.eigh(white.T @ line @ white)
    weights = white @ turn[:, -count:]
    power = weights.T @ covariance @ weights
    return np.ascontiguousarray(covariance @ weights @ np.linalg.pinv(power) @ weights.T)


def _boxcar(period: float) -> NDArray[np.float64]:
    """Return the weights of a moving mean over `period` samples, whole or not."""
    whole = int(period)
    weights = np.ones(whole + 1)
    weights[-1] = period - whole
    return weights[weights > 0] / period


def _turns(samples: int, rate: float, line: float) -> NDArray[np.complex128]:
    """Return Hann-weighted Fourier rows of all frequencies near the line's harmonics: (n_frequencies, samples)."""
    frequency = np.arange(0, rate / 2, rate / samples)
    order = np.round(frequency / line)
    near = (order >= 1) & (order <= MOST) & (np.abs(frequency - order * line) <= NEAR_HZ)
    time = np.arange(samples) / rate
    return np.ascontiguousarray(np.hanning(samples) * np.exp(-2j * np.pi * frequency[near][:, None] * time))
