"""Band-pass: one band kept, for detection and display."""

from __future__ import annotations

from dataclasses import dataclass

from zeromag.block import Block
from zeromag.filters.sos import Cascade, check_corner, check_order
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class BandPass:
    """Causal Butterworth band-pass from `low` to `high`; `order` is that of each edge."""

    low: float  # Hz
    high: float  # Hz
    order: int = 2

    def __post_init__(self) -> None:
        check_order(self.order)
        if not 0 < self.low < self.high:
            raise ValueError(f"a band needs 0 < low < high, got {self.low:g} to {self.high:g} Hz")

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if the band reaches half the rate."""
        from scipy.signal import butter

        check_corner(self.high, head.rate)
        return Cascade(butter(self.order, (self.low, self.high), "bandpass", fs=head.rate, output="sos"), head)
