"""Fir: a filter with given taps, the same delay for every frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.sos import FILTERED, check_corner
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class Fir:
    """y[t] = Σ taps[k] x[t-k]; symmetric taps delay everything by (n - 1)/2 samples and bend no wave.

    Begins as if the first sample had always been there. A bad sample repeats the last good one.
    """

    taps: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.taps or not np.all(np.isfinite(self.taps)):
            raise ValueError(f"a FIR filter needs at least 1 finite tap, got {len(self.taps)}")

    @classmethod
    def low_pass(cls, corner: float, width: float, rate: float) -> Self:
        """Return a linear-phase low-pass: 6 dB at `corner`, 60 dB beyond corner + width/2 (Hz; Kaiser window)."""
        from scipy.signal import firwin, kaiserord

        check_corner(corner, rate)
        check_corner(width, rate)
        n, beta = kaiserord(60.0, width / (rate / 2))
        taps = firwin(n | 1, corner, window=("kaiser", beta), fs=rate)
        return cls(tuple(float(tap) for tap in taps))

    def start(self, head: Block) -> Step:
        """Return the running filter."""
        taps = np.array(self.taps)
        columns = head.sensors.of_kind(*FILTERED)
        past = np.full((len(taps), len(columns)), np.nan)

        def run(block: Block) -> Block:
            out = block.data.copy()
            _fir(block.data, bad_samples(block), columns, taps, past, out)
            return block.with_data(out)

        return run


@kernel
def _fir(x: F64, bad: BOOL, columns: I64, taps: F64, past: F64, out: F64) -> None:
    """`past` (tap, column): newest first, NaN before a channel's first good sample."""
    n, size = len(columns), len(taps)
    row = np.empty(n)
    for t in range(x.shape[0]):
        for k in range(size - 1, 0, -1):
            for c in range(n):
                past[k, c] = past[k - 1, c]
        for c in range(n):
            value = x[t, columns[c]]
            if bad[t, columns[c]] or not np.isfinite(value):
                continue  # past[0] still holds the last good sample
            if np.isnan(past[0, c]):
                for k in range(size):
                    past[k, c] = value
            past[0, c] = value
        row[:] = 0.0
        for k in range(size):
            for c in range(n):
                row[c] += taps[k] * past[k, c]
        for c in range(n):
            out[t, columns[c]] = x[t, columns[c]] if np.isnan(past[0, c]) else row[c]
