"""Low-pass: takes what lies above the heart's band."""

from __future__ import annotations

from dataclasses import dataclass

from zeromag.block import Block
from zeromag.filters.sos import Cascade, check_corner, check_order
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class LowPass:
    """Causal Butterworth low-pass; at order 4 it delays the heart by 2.61 / (2π·corner): 4.2 ms at 100 Hz."""

    corner: float = 100.0  # Hz
    order: int = 4

    def __post_init__(self) -> None:
        check_corner(self.corner, float("inf"))
        check_order(self.order)

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if the corner is not below half the rate."""
        from scipy.signal import butter

        check_corner(self.corner, head.rate)
        return Cascade(butter(self.order, self.corner, "lowpass", fs=head.rate, output="sos"), head)
