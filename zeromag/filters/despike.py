"""Despike: single samples that jump out and back, replaced by what their neighbours say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.sos import FILTERED
from zeromag.stage import Step

WARM = 50  # samples before the usual size is believed
SCALE_S = 1.0  # memory of the usual size of a second difference


@dataclass(frozen=True, slots=True)
class Despike:
    """Replaces a sample by the mean of its neighbours if it stands out of both, the same way, beyond `limit`.

    The usual is the mean size of x[t] - (x[t-1] + x[t+1])/2 in that channel. Waits one sample to see the
    next, so everything comes out one sample late. A step does not stand out of both sides, and a QRS is smooth
    at any rate that can carry it.
    """

    limit: float = 12.0  # times the mean size

    def __post_init__(self) -> None:
        if not self.limit > 1:
            raise ValueError(f"a spike is more than 1 time the usual, got {self.limit}")

    def start(self, head: Block) -> Step:
        """Return the running filter."""
        columns = head.sensors.of_kind(*FILTERED)
        gain = 1.0 / (SCALE_S * head.rate)
        n = len(columns)
        past, scale, hidden = np.full((2, n), np.nan), np.zeros(n), np.zeros(n, dtype=np.bool_)
        seen = np.zeros(n, dtype=np.int64)

        def run(block: Block) -> Block:
            out, mask = block.data.copy(), block.bad().copy()
            _despike(block.data, bad_samples(block), columns, self.limit, gain, past, scale, seen, hidden, mask, out)
            return block.with_data(out, mask=mask)

        return run


@kernel
def _despike(
    x: F64,
    bad: BOOL,
    columns: I64,
    limit: float,
    gain: float,
    past: F64,
    scale: F64,
    seen: I64,
    hidden: BOOL,
    mask: BOOL,
    out: F64,
) -> None:
    """`past` holds the last two samples (0: newest), mended; the newest comes out, with its own mask in `hidden`."""
    for t in range(x.shape[0]):
        for c in range(len(columns)):
            value = x[t, columns[c]]
            before, middle = past[1, c], past[0, c]
            size = middle - 0.5 * (before + value)
            if np.isfinite(size):
                usual = limit * scale[c] if seen[c] >= WARM else np.inf
                # beyond both neighbours, to the same side: a step, or a spike's neighbour, is beyond one only
                stands_out = min(abs(middle - before), abs(middle - value))
                if stands_out > usual > 0.0 and (middle - before) * (middle - value) > 0.0:
                    middle = 0.5 * (before + value)
                size = abs(size)
                seen[c] += 1
                scale[c] += max(gain, 1.0 / seen[c]) * ((min(size, usual) if usual > 0.0 else size) - scale[c])
            now = bad[t, columns[c]]
            if np.isnan(middle) and np.isnan(before):  # nothing has come yet, or nothing good
                out[t, columns[c]] = value
                mask[t, columns[c]] = now or hidden[c]
            else:
                out[t, columns[c]] = middle
                mask[t, columns[c]] = hidden[c]
            hidden[c] = now
            past[1, c] = middle
            past[0, c] = value
