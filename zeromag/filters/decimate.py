"""Decimate: fewer samples a second, with what would fold back taken out first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.sos import Cascade
from zeromag.stage import Step

ORDER = 8
RIPPLE_DB = 0.05
CORNER = 0.8  # of the new half rate


@dataclass(frozen=True, slots=True)
class Decimate:
    """Keeps every `factor`-th sample behind an order-8 Chebyshev low-pass (`scipy.signal.decimate`, causal).

    Kept are the samples whose index in the stream is a multiple of `factor`, whatever the blocks; the new index is
    the old one over `factor`. A kept sample is bad if any sample since the last kept one was. Blocks must hold at
    least `factor` samples, since a block is never empty.
    """

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"a factor must be 1 or more, got {self.factor}")

    def start(self, head: Block) -> Step:
        """Return the running decimation."""
        if self.factor == 1:
            return lambda block: block
        return _Decimation(self.factor, head)


class _Decimation:
    """A low-pass, and whether a bad sample waits to be told of."""

    def __init__(self, factor: int, head: Block) -> None:
        from scipy.signal import cheby1

        self._factor = factor
        self._filter = Cascade(cheby1(ORDER, RIPPLE_DB, CORNER / factor, output="sos"), head)
        self._bad: NDArray[np.bool_] = np.zeros(len(head.sensors), dtype=np.bool_)

    def __call__(self, block: Block) -> Block:
        q = self._factor
        if len(block) < q:
            raise ValueError(f"decimation by {q} needs blocks of at least {q} samples, got {len(block)}")
        smooth = self._filter(block)
        kept = np.arange(-block.first % q, len(block), q)
        mask = block.mask
        if mask is not None or self._bad.any():
            bad = block.bad()
            pieces = np.split(bad, kept + 1)
            pieces[0] = np.vstack([self._bad, pieces[0]])
            mask = np.array([piece.any(axis=0) for piece in pieces[:-1]])
            self._bad = np.asarray(pieces[-1].any(axis=0))
        return Block(
            data=np.ascontiguousarray(smooth.data[kept]),
            first=-(-block.first // q),
            rate=block.rate / q,
            sensors=block.sensors,
            mask=mask,
            events=tuple(replace(event, sample=event.sample // q) for event in smooth.events),
            t_ns=block.t_ns,
        )
