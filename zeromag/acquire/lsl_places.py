"""Where the samples of an LSL stream stand, by the stamps that their sender gave them; no I/O here."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

GAP_SECONDS: Final = 0.2  # a longer jump of the stamps is a gap at once
_LISTEN_SECONDS: Final = 0.2  # for so long, and as long as the jump, all stamps behind a shorter one must be late
_POINT_SECONDS: Final = 0.02
_POINTS: Final = 250  # five seconds
_FIRST_SECONDS: Final = 1.0  # before, a sender's rate and its jitter are not known

Placed = tuple[int, int]  # index of the first sample, how many follow each other from there


class Places:
    """Takes stamps as they come, gives where their samples stand; waits a moment where one seems to be missing.

    Behind a sample that never came all stamps are late, for good; jitter makes some late, and those behind them are
    on time again. So one that is later than any of the last five seconds, by more than half a sample and by the
    sender's own rate, is held back with those behind it: until one is on time (jitter), or until they were all late
    for long enough (a gap, as long as the least late of them is late).
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._upcoming = 0
        self._origin = self._last = 0.0  # stamps, s
        self._waiting = np.zeros(0)
        self._seen: deque[list[float]] = deque(maxlen=_POINTS)  # index, least and most late by the nominal rate (s)

    def __call__(self, stamps: NDArray[np.float64], *, since: float = 0.0, over: bool = False) -> list[Placed]:
        """Return where the oldest samples stand that were not placed yet; those of all when it is `over`.

        `since` is how long before the last of `stamps` the last one placed was taken (s): all there is to go by when
        the sender's clock was set back.
        """
        runs, begun = list[Placed](), self._upcoming
        for part in np.split(stamps, np.flatnonzero(np.diff(stamps) < -GAP_SECONDS) + 1):
            if len(part) and self._seen and part[0] < max([self._last, *self._waiting[-1:]]) - GAP_SECONDS:
                self._go_on(runs, over=True)
                lost = round(since * self._rate) - (self._upcoming - begun) - len(part)
                self._upcoming += lost if lost > GAP_SECONDS * self._rate else 0
                self._seen.clear()
            if len(part) and not self._seen:
                self._origin = float(part[0]) - self._upcoming / self._rate
            self._waiting = np.concatenate([self._waiting, part])
            self._go_on(runs, over=over)
        return runs

    def _go_on(self, runs: list[Placed], *, over: bool) -> None:
        """Place those that wait, as far as it is known where they stand; of all when it is `over`."""
        while len(self._waiting):
            count = self._on_time() if self._seen else 1
            if not count:
                missing = self._missing(over=over)
                if missing is None:
                    break
                self._upcoming += missing
                count = 1
            _append(runs, (self._place(count), count))

    def _place(self, count: int) -> int:
        """Let the first of those that wait go where they are due; return where that is."""
        first, late, step = self._upcoming, self._late()[:count], max(1, round(_POINT_SECONDS * self._rate))
        for at in range(0, count, step):  # the sender's own rate shows in a longer piece
            low, high = float(late[at : at + step].min()), float(late[at : at + step].max())
            if self._seen and first + at - self._seen[-1][0] < step:
                point = self._seen[-1]
                point[1:] = min(low, point[1]), max(high, point[2])
            else:
                self._seen.append([first + at, low, high])
        self._last = float(self._waiting[count - 1])
        self._waiting = self._waiting[count:]
        self._upcoming += count
        return first

    def _late(self) -> NDArray[np.float64]:
        """Return by how much those that wait are late if none is missing, by the nominal rate (s)."""
        due = (self._upcoming + np.arange(len(self._waiting))) / self._rate
        late: NDArray[np.float64] = self._waiting - self._origin - due
        return late

    def _on_time(self) -> int:
        """Return how many of those that wait come before the first that may have lost one before it."""
        steps = np.diff(self._waiting, prepend=self._last) - 1 / self._rate
        jumps = np.flatnonzero(steps > 0.5 / self._rate)
        if not len(jumps):
            return len(steps)
        late, _, most, _ = self._beyond()
        lost = jumps[(steps[jumps] > GAP_SECONDS) | (late[jumps] > most + 0.5 / self._rate)]
        return int(lost[0]) if len(lost) else len(steps)

    def _missing(self, *, over: bool) -> int | None:
        """Return how many samples are missing before the first that waits, None when that cannot be said yet."""
        since = float(self._waiting[0]) - self._last
        if since - 1 / self._rate > GAP_SECONDS:
            self._seen.clear()
            return round(since * self._rate) - 1
        late, least, most, period = self._beyond()
        if (late <= most + 0.5 / self._rate).any():
            return 0
        if len(late) < (late[0] + _LISTEN_SECONDS) * self._rate and not over:
            return None
        return round((float(late.min()) - least) / period)

    def _beyond(self) -> tuple[NDArray[np.float64], float, float, float]:
        """Return, by the sender's rate, how late those that wait are and the others were least and most; its period."""
        at, low, high = np.array(self._seen).T
        now = self._upcoming + np.arange(len(self._waiting)) - at.mean()
        if self._upcoming - at[0] < _FIRST_SECONDS * self._rate:
            return self._late(), 0.0, np.inf, 1 / self._rate
        at -= at.mean()
        middle = (low + high) / 2
        slope, level = float(at @ middle / (at @ at)), float(middle.mean())
        line = level + slope * at
        late = self._late() - level - slope * now
        return late, float((low - line).min()), float((high - line).max()), 1 / self._rate + slope


def placed(stamps: NDArray[np.float64], rate: float) -> list[Placed]:
    """Return the runs of a recorded stream without a sample missing in them, by its stamps (s)."""
    if np.diff(stamps).max(initial=0.0) <= 1.5 / rate:
        return [(0, len(stamps))]
    places, step = Places(rate), max(1, round(_POINT_SECONDS * rate))
    runs: list[Placed] = []
    for at in range(0, len(stamps), step):
        for run in places(stamps[at : at + step], over=at + step >= len(stamps)):
            _append(runs, run)
    return runs


def _append(runs: list[Placed], run: Placed) -> None:
    """Add a run, as a part of the last one when it follows it."""
    if runs and sum(runs[-1]) == run[0]:
        runs[-1] = (runs[-1][0], runs[-1][1] + run[1])
    else:
        runs.append(run)
