"""Beat baseline: a line from each PR segment to the next, taken off; the ST segment is not bent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.beat_gate import KNOWN_S, BeatGate
from zeromag.filters.meter import HeartCost
from zeromag.filters.sos import FILTERED
from zeromag.sensors import SensorArray
from zeromag.stage import Step

PR_S = (-0.10, -0.06)  # from R: after P, before Q
NOISE = 1.01  # noise gain: at 1 kHz the line between two means of 40 samples adds √(1 + 2/3 · 1/40)
LEAST_S = 0.5  # a beat is known 0.37 s after R, its PR segment lies 0.08 s before


@dataclass(frozen=True, slots=True)
class BeatBaseline:
    """Takes off a line through the means of the PR segments, so that each beat rests on zero before Q.

    Everything comes out `delay` seconds late, with masks, triggers and events, and the samples before the first are
    masked. A beat is known 0.37 s after its R at the latest: beats up to `delay` - 0.45 s apart are joined by a
    straight line from PR to PR, which moves no ST segment against the line between its own beat's ends (two seconds
    do for 39 beats a minute and more). With less delay, or when a beat is missing, the last level holds until the
    next PR segment is known, and leads there in a straight line. Nothing ever steps. Averages and live maps need
    none of this: they take each beat's own PR segment off where the beat is cut out, and wait for nothing.
    """

    delay: float = 2.0  # s

    def __post_init__(self) -> None:
        if not self.delay >= LEAST_S:
            raise ValueError(
                f"a beat is known {KNOWN_S:.2f} s after its R: the delay must be at least {LEAST_S:g} s, "
                f"got {self.delay:g} s"
            )

    def start(self, head: Block) -> Step:
        """Return the running baseline; ValueError if the rate is too low to find beats."""
        return _Running(self, head)

    def cost(self, sensors: SensorArray) -> HeartCost:  # noqa: ARG002 - the same on every array
        """Return what it costs: noise of the PR segments' means, and time.

        A known heart cannot tell: with it beats are found that are not there without it.
        """
        return HeartCost(1.0, 1.0, NOISE, self.delay, 0.0, 0.0)


@kernel
def _follow(
    x: F64, bad: BOOL, start: int, stop: int, columns: I64, place: int, span: int, low: F64, high: F64, out: F64
) -> None:
    """Take the line off rows `start:stop`: `low` at place 0, `high` at place `span`; `start` lies at `place`.

    A channel that has had no good sample yet (NaN) begins with its first.
    """
    for t in range(start, stop):
        share = (place + t - start) / span
        for c in range(len(columns)):
            value = x[t, columns[c]]
            if np.isnan(low[c]):
                if bad[t, columns[c]] or not np.isfinite(value):
                    continue
                low[c] = value
            lead = high[c] - low[c]
            out[t, columns[c]] = value - (low[c] + share * lead if np.isfinite(lead) else low[c])


class _Running:
    """The last `delay` seconds, the line that is being followed, and the PR segments it leads to."""

    def __init__(self, settings: BeatBaseline, head: Block) -> None:
        self._gate = BeatGate(head)
        self._late = late = round(settings.delay * head.rate)
        self._edges = tuple(round(seconds * head.rate) for seconds in PR_S)
        self._columns = head.sensors.of_kind(*FILTERED)
        # what has come and not gone out are the newest `late` of `count` rows
        self._data = np.repeat(head.data[:1], 2 * late + len(head), axis=0)
        self._mask = np.ones(self._data.shape, dtype=np.bool_)
        self._count = late
        self._events: list[Event] = []
        self._next = head.first - late  # stream index of the next sample to go out
        first = head.data[0, self._columns]
        self._from = (self._next, np.where(head.bad()[0, self._columns], np.nan, first))
        self._knots: deque[tuple[int, F64]] = deque()  # stream index, level (n_columns,)

    def __call__(self, block: Block) -> Block:
        data, mask = self._append(block)
        out, begin = data[: len(block)].copy(), self._next
        for beat in self._gate(block):
            # what goes out before the beat is known does not know of it, whatever the blocks
            self._take(data, mask, out, begin, beat.known - self._late)
            self._learn(data, mask, begin, beat.r)
        self._take(data, mask, out, begin, begin + len(block))
        self._events += [replace(event, sample=event.sample + self._late) for event in block.events]
        ready = tuple(event for event in self._events if event.sample < block.stop)
        self._events = [event for event in self._events if event.sample >= block.stop]
        return replace(block, data=out, mask=mask[: len(block)].copy(), events=ready)

    def _append(self, block: Block) -> tuple[F64, BOOL]:
        """Keep a block, and return all that waits with it."""
        late, n = self._late, len(block)
        if self._count + n > len(self._data):
            rows = max(len(self._data), late + n)
            newest = slice(self._count - late, self._count)
            data, mask = self._data[newest], self._mask[newest]
            self._data, self._mask = np.empty((rows, data.shape[1])), np.empty((rows, data.shape[1]), dtype=np.bool_)
            self._data[:late], self._mask[:late] = data, mask
            self._count = late
        begin, self._count = self._count - late, self._count + n
        self._data[self._count - n : self._count] = block.data
        self._mask[self._count - n : self._count] = block.bad()
        return self._data[begin : self._count], self._mask[begin : self._count]

    def _learn(self, data: F64, mask: BOOL, begin: int, r: int) -> None:
        """Add the PR segment of a beat to what the line leads to; `begin` is the stream index of the first row."""
        start, stop = (r + edge - begin for edge in self._edges)
        middle = begin + (start + stop) // 2
        if middle <= max(self._next, self._knots[-1][0] if self._knots else self._next):
            return
        part = data[start:stop, self._columns]
        good = np.isfinite(part) & ~mask[start:stop, self._columns]
        before = self._knots[-1][1] if self._knots else self._from[1]
        origin = np.nan_to_num(before)
        count = good.sum(axis=0)
        mean = origin + np.where(good, part - origin, 0.0).sum(axis=0) / np.maximum(count, 1)
        if not self._knots:
            self._from = (self._next, self._from[1])
        self._knots.append((middle, np.where(2 * count >= stop - start, mean, before)))

    def _take(self, data: F64, mask: BOOL, out: F64, begin: int, stop: int) -> None:
        """Take the line off what goes out before the stream index `stop`."""
        while self._next < stop:
            (origin, low), (end, high) = self._from, self._knots[0] if self._knots else (stop, self._from[1])
            until = min(stop, end)
            rows = self._next - begin, until - begin
            _follow(data, mask, *rows, self._columns, self._next - origin, max(1, end - origin), low, high, out)
            self._next = until
            if self._knots and until == end:
                self._from = self._knots.popleft()
