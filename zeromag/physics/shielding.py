"""How much of an outside field is left in a shielded room, over frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shielding:
    """A shielding curve: straight lines in log frequency and log factor through published points, level beyond."""

    points: tuple[tuple[float, float], ...]  # (Hz, factor), rising frequency

    def factor(self, frequency: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Return outside over inside at these frequencies (0 Hz: as at the lowest point).

        Examples
        --------
        >>> AK3B.factor(np.array([0.0, 1.0, 100.0])).round(1).tolist()
        [35.0, 561.0, 500000.0]
        """
        known = np.log(np.array(self.points))
        lowest = self.points[0][0]
        at = np.log(np.maximum(np.asarray(frequency, dtype=np.float64), lowest))
        factor: NDArray[np.float64] = np.exp(np.interp(at, known[:, 0], known[:, 1]))
        return factor


# Ak3b room of PTB/TU Braunschweig: 35 at 0.02 Hz, 71 at 0.1, 561 at 1, 5e5 at 100 Hz (its web page)
AK3B = Shielding(((0.02, 35.0), (0.1, 71.0), (1.0, 561.0), (100.0, 5e5)))
# light two-layer room: 30 dB at 1 Hz, 50 dB at 50 Hz (Kato, Sophia University)
LIGHT = Shielding(((1.0, 10**1.5), (50.0, 10**2.5)))
# open cylinder, Bardouille 2024: 50 nT at rest of the Earth's 50 µT; how it holds back what changes is not given
CYLINDER = Shielding(((0.01, 1e3),))
NONE = Shielding(((1.0, 1.0),))
