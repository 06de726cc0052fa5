"""High-pass: takes the slow baseline, and some of the ST segment with it."""

from __future__ import annotations

from dataclasses import dataclass

from zeromag.block import Block
from zeromag.filters.sos import Cascade, check_corner, check_order
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class HighPass:
    """Causal Butterworth high-pass, settled from the first sample: a constant gives nothing out.

    After 300 ms a first-order corner at 0.05 Hz has drooped by 9 %, at 0.5 Hz by 61 %: for ST and T use the PR
    segment of each beat as zero instead.
    """

    corner: float = 0.05  # Hz
    order: int = 1

    def __post_init__(self) -> None:
        check_corner(self.corner, float("inf"))
        check_order(self.order)

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if the corner is not below half the rate."""
        from scipy.signal import butter

        check_corner(self.corner, head.rate)
        return Cascade(butter(self.order, self.corner, "highpass", fs=head.rate, output="sos"), head)
