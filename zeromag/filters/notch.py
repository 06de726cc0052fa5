"""Notch: one frequency and, if asked, its multiples; rings after every step, so `Mains` is the default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag.block import Block
from zeromag.filters.sos import Cascade, check_corner
from zeromag.stage import Step


@dataclass(frozen=True, slots=True)
class Notch:
    """Biquad notches at `frequency`, 2·`frequency`, …; each rings with the time constant quality / (π·frequency)."""

    frequency: float  # Hz
    quality: float = 10.0  # 30 at 50 Hz rings for 191 ms, a third of a beat
    harmonics: int = 1

    def __post_init__(self) -> None:
        check_corner(self.frequency, float("inf"))
        if not self.quality > 0:
            raise ValueError(f"a notch needs a quality above 0, got {self.quality}")
        if self.harmonics < 1:
            raise ValueError(f"a notch has at least 1 harmonic, got {self.harmonics}")

    def start(self, head: Block) -> Step:
        """Return the running filter; ValueError if the highest harmonic reaches half the rate."""
        from scipy.signal import iirnotch, tf2sos

        check_corner(self.frequency * self.harmonics, head.rate)
        each = [tf2sos(*iirnotch(self.frequency * k, self.quality, fs=head.rate)) for k in range(1, self.harmonics + 1)]
        return Cascade(np.concatenate(each), head)
