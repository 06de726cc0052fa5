"""When a sample was taken, on the host's monotonic clock, by a line through the arrivals of blocks.

A device's clock runs some parts in a million off the host's; an arrival is late by what the bus, the
network and the scheduler took, and never early. So of every second the least late arrival is kept, and a
line is fitted through these. Wall-clock jumps cannot touch it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

WINDOW_SECONDS: Final = 1.0
KEPT_WINDOWS: Final = 300  # five minutes: drift of a crystal with temperature is slower
FEWEST_WINDOWS: Final = 10  # before, the nominal rate is the better guess


class ClockFit:
    """Follows a device that gives `rate` samples a second by its own clock.

    `ppm` is how much faster than nominal it runs, 0 until ten seconds are seen.
    """

    def __init__(self, rate: float) -> None:
        if not rate > 0:
            raise ValueError(f"rate must be above 0 Hz, got {rate}")
        self.rate = rate
        self.ppm = 0.0
        self._start: tuple[int, int] | None = None  # first sample's index and arrival
        self._points: deque[tuple[float, float]] = deque(maxlen=KEPT_WINDOWS)  # s by the device, s late
        self._window = -1
        self._best = (0.0, np.inf)
        self._line = (0.0, np.inf)  # s late at the beginning, s a second
        self._last = 0

    def __call__(self, stop: int, t_ns: int) -> int:
        """Take the arrival of the samples up to `stop`; return when the last of them was taken, never going back."""
        if self._start is None:
            self._start = (stop, t_ns)
        elapsed = (stop - self._start[0]) / self.rate
        late = (t_ns - self._start[1]) * 1e-9 - elapsed
        window = int(elapsed / WINDOW_SECONDS)
        if window != self._window:
            self._fit()
            self._window, self._best = window, (elapsed, np.inf)
        if late < self._best[1]:
            self._best = (elapsed, late)
        expected = self._expected(elapsed)
        self._last = max(self._last, self._start[1] + round((elapsed + min(expected, late)) * 1e9))
        return self._last

    def _expected(self, elapsed: float) -> float:
        """Return how late an arrival is that nothing held up: by the line, or as the last second's least late one."""
        offset, slope = self._line
        if np.isinf(slope):
            return min(self._best[1], self._points[-1][1] if self._points else np.inf)
        return offset + slope * elapsed

    @property
    def measured_rate(self) -> float:
        """Samples a second by the host's clock, Hz."""
        return self.rate * (1 + self.ppm * 1e-6)

    def _fit(self) -> None:
        if np.isfinite(self._best[1]):
            self._points.append(self._best)
        if len(self._points) < FEWEST_WINDOWS:
            return
        elapsed, late = np.array(self._points).T
        slope, offset = np.polyfit(elapsed, late, 1)
        self._line = (float(offset), float(slope))
        self.ppm = 1e6 * (1 / (1 + float(slope)) - 1)
