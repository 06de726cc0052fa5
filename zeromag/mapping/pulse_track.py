"""A pulse followed through noise: the most likely row of beats in one signal, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64, I64, kernel
from zeromag.mapping.history import History

SHORTEST, LONGEST = 0.6, 1.7  # of the typical interval, between which the next one is looked for
STIFF = 150.0  # cost of log²(interval / typical), in noise units
SURPRISE = 8.0  # most that one interval can cost: less than two clear beats bring
CLIP = 12.0  # noise units, beyond which an excursion counts no more
LAG = 1.2  # s for which the past may still be judged anew
NEWEST = 9  # intervals that the typical one is the median of
SEEN, SHARE = 2.5, 0.4  # noise units, and share of the usual height, from which a beat is seen


@kernel
def _chain(score: F64, chain: F64, back: I64, begin: int, typical: float, low: int, high: int) -> None:
    """Extend the best chains to rows `begin` and on: chain = score + the best earlier chain less the interval's cost.

    The beat tracker of Ellis (2007), with a bounded cost, so that a beat that is early or left out is not forbidden.
    """
    for t in range(begin, len(score)):
        best, where = 0.0, -1
        for gap in range(low, min(high, t) + 1):
            cost = STIFF * np.log(gap / typical) ** 2
            value = chain[t - gap] - min(cost, SURPRISE)
            if value > best:
                best, where = value, t - gap
        chain[t] = score[t] + best
        back[t] = where


@dataclass(frozen=True, slots=True)
class Found:
    """A beat of the row: its sample, how far it stands above the noise, and whether that is enough to be seen."""

    at: int
    height: float  # noise units
    seen: bool


class PulseTrack:
    """Callable with the samples of one signal in noise units, in pieces that start at fixed places of the stream."""

    def __init__(self, rate: float, first: int, typical: float, usual: float) -> None:
        """Begin at sample `first`, with a typical interval in s and a usual height in noise units."""
        self._rate = rate
        self._score = History(round(6 * rate), 1, first)
        self._intervals: list[float] = [typical * rate] * NEWEST
        self._heights: list[float] = [usual] * 16
        self._chain, self._back = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._begin = first  # stream sample of the first row of the chains
        self.last = first - round(10 * rate)  # the newest beat that stands
        self.seen: list[bool] = []  # of the newest beats

    @property
    def typical(self) -> float:
        """Typical interval of the newest beats, samples."""
        return float(np.median(self._intervals))

    def __call__(self, score: F64) -> list[Found]:
        """Take samples (n,); return the beats that now stand, in order."""
        self._score.append(np.clip(score, -CLIP, CLIP)[:, None])
        done = len(self._chain)
        self._chain = np.concatenate([self._chain, np.zeros(len(score))])
        self._back = np.concatenate([self._back, np.full(len(score), -1)])
        rows = self._score.take(self._begin, self._score.stop)[:, 0].copy()
        typical = self.typical
        low, high = max(1, int(SHORTEST * typical)), int(LONGEST * typical)
        _chain(rows, self._chain, self._back, done, typical, low, high)
        found = self._standing(self._score.stop - round(LAG * self._rate), rows)
        self._forget(round(2.5 * self._rate))
        return found

    def finish(self) -> list[Found]:
        """Return the beats that were still open, the signal having ended."""
        rows = self._score.take(self._begin, self._score.stop)[:, 0].copy()
        return self._standing(self._score.stop, rows) if len(rows) else []

    def _standing(self, until: int, rows: F64) -> list[Found]:
        """Follow the best chain back from the newest samples; return its beats before `until` that are new."""
        typical = self.typical
        newest = max(0, len(rows) - int(1.2 * typical))
        at = newest + int(np.argmax(self._chain[newest:]))
        path: list[int] = []
        while at >= 0:
            path.append(at)
            at = int(self._back[at])
        found: list[Found] = []
        for row in reversed(path):
            sample = row + self._begin
            if self.last + 0.5 * typical < sample < until:
                found.append(self._stands(sample, float(rows[row])))
        return found

    def _stands(self, sample: int, height: float) -> Found:
        seen = height >= max(SEEN, SHARE * float(np.median(self._heights)))
        if seen:
            interval = float(sample - self.last)
            if self.seen and self.seen[-1] and interval < LONGEST * self.typical:
                self._intervals = [*self._intervals[1:], interval]
            self._heights = [*self._heights[1:], height]
        self.seen = [*self.seen[-19:], seen]
        self.last = sample
        return Found(sample, height, seen)

    def _forget(self, keep: int) -> None:
        """Drop chains older than `keep` samples, and what all have in common."""
        if (drop := len(self._chain) - 2 * keep) > 0:
            self._chain = self._chain[drop:] - self._chain[drop:].min()
            self._back = np.maximum(self._back[drop:] - drop, -1)
            self._begin += drop
