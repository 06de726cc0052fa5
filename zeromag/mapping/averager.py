"""Beats on top of each other: one average per class, built while the stream runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.history import History
from zeromag.mapping.pile import Pile
from zeromag.sensors import SensorArray

KEEP = 24.0  # s of samples kept: longer than the detector ever needs to decide
LATEST = 18.0  # s after a beat at which it is taken even though no next one came
WIDE = ("ectopic", "variant")  # classes whose QRS may begin before the piece that is called zero
NEXT = 0.15  # s before the next R at which a beat's window ends: that is the next P wave's


@kernel
def _resample(rows: F64, bad: BOOL, offset: float, out: F64, good: BOOL) -> None:
    """Write `rows` at `offset` + 0, 1, … by a four-point Lagrange polynomial; `good` is False for masked channels."""
    whole = int(np.floor(offset))
    d = offset - whole
    w0 = -d * (d - 1.0) * (d - 2.0) / 6.0
    w1 = (d + 1.0) * (d - 1.0) * (d - 2.0) / 2.0
    w2 = -(d + 1.0) * d * (d - 2.0) / 2.0
    w3 = (d + 1.0) * d * (d - 1.0) / 6.0
    for t in range(out.shape[0]):
        a = whole + t
        for c in range(out.shape[1]):
            out[t, c] = w0 * rows[a - 1, c] + w1 * rows[a, c] + w2 * rows[a + 1, c] + w3 * rows[a + 2, c]
            if bad[a, c] or bad[a + 1, c] or not np.isfinite(out[t, c]):
                good[c] = False


@dataclass(frozen=True, slots=True)
class Averager:
    """Settings of averaging: the window around R and the piece of the PR segment that is called zero."""

    before: float = 0.30  # s
    after: float = 0.50  # s
    baseline: tuple[float, float] = (-0.10, -0.06)  # s from R
    parts: int = 64  # means of every 64th beat that are kept for the bootstrap
    limit: int = 8  # most classes
    memory: float = 0.0  # beats that an exponential average is as good as; 0: all beats count alike

    def __post_init__(self) -> None:
        if not (self.before > 0 and self.after > 0):
            raise ValueError(f"a window needs time before and after R, got {self.before} and {self.after} s")
        if not (self.memory == 0 or 2 <= self.memory <= self.parts):
            raise ValueError(f"an exponential average remembers 2 to {self.parts} beats, got {self.memory:g}")
        if not -self.before <= self.baseline[0] < self.baseline[1] <= self.after:
            raise ValueError(f"the baseline must lie inside the window, got {self.baseline}")

    def start(self, head: Block) -> Averaging:
        """Return the running averages; call them with every cleaned block and the beats found in it."""
        return Averaging(self, head)


class Averaging:
    """Averages per class, fed by blocks and beats in order; nothing depends on the size of the blocks.

    A beat is taken when the next is known, so that its window can end before the next P wave, or when the
    stream breaks off or ends.
    """

    def __init__(self, settings: Averager, head: Block) -> None:
        self._settings = settings
        self._rate = head.rate
        magnetometers = head.sensors.of_kind("mag")
        self._columns = magnetometers if len(magnetometers) else head.sensors.of_kind("ecg")
        if not len(self._columns):
            raise InputError("an average needs magnetometer or ECG channels, and the stream has none")
        self.sensors: SensorArray = head.sensors.pick(self._columns)
        self._before, self._after = round(settings.before * head.rate), round(settings.after * head.rate)
        self.time: F64 = np.arange(-self._before, self._after + 1) / head.rate
        first, last = settings.baseline
        self._flat = slice(*np.searchsorted(self.time, [first, last], side="left").tolist())
        self._flats: dict[str, slice] = {}  # the same of a class with wide beats
        self.piles: dict[str, Pile] = {}
        self.level: F64 = np.full(len(self._columns), np.nan)  # T, PR level of the newest beat: zero of the live map
        self._wave: F64 = np.empty((len(self.time), len(self._columns)))  # of one beat; new memory takes longer than it
        self._pending: list[Beat] = []
        self._last: Block | None = None
        self._open(head)

    def _open(self, head: Block) -> None:
        length = round(KEEP * head.rate)
        self._rows = History(length, len(self._columns), head.first)
        self._bad = History(length, len(self._columns), head.first, np.bool_)

    def __call__(self, block: Block, beats: Sequence[Beat]) -> list[Beat]:
        """Take a block and the beats decided with it; return the beats that are done: averaged, or why not."""
        taken: list[Beat] = []
        if self._last is not None and not block.follows(self._last):
            # beats found on closing the span before the gap come with the first block after it
            self._pending += [beat for beat in beats if beat.sample < self._last.stop]
            beats = [beat for beat in beats if beat.sample >= self._last.stop]
            taken += self.finish()
            self._open(block)
        self._last = block
        self._pending += beats
        bad = block.bad()
        step = round(self._rate)
        for begin in range(0, len(block), step):
            self._rows.append(block.data[begin : begin + step, self._columns])
            self._bad.append(bad[begin : begin + step, self._columns])
            taken += self._ripe()
        return taken

    def known(self, beats: Sequence[Beat]) -> list[Beat]:
        """Take beats that were decided after their block had been given; return those that are done."""
        self._pending += beats
        return self._ripe()

    def finish(self, beats: Sequence[Beat] = ()) -> list[Beat]:
        """Take the beats that were still waiting for the next one, and the detector's last."""
        self._pending += beats
        taken: list[Beat] = []
        while self._pending:
            beat = self._pending.pop(0)
            taken.append(self._take(beat, self._pending[0] if self._pending else None))
        return taken

    def _ripe(self) -> list[Beat]:
        taken: list[Beat] = []
        while self._pending:
            beat = self._pending[0]
            following = self._pending[1] if len(self._pending) > 1 else None
            complete = self._rows.stop >= beat.sample + self._after + 3
            late = self._rows.stop >= beat.sample + LATEST * self._rate
            if not (complete and (following is not None or late)):
                return taken
            self._pending.pop(0)
            taken.append(self._take(beat, following))
        return taken

    def _take(self, beat: Beat, following: Beat | None) -> Beat:
        """Lay one beat on its class's pile; return it, with the reason when it was not."""
        if beat.why:
            return beat
        n = len(self.time)
        start = int(np.floor(beat.sample)) - self._before - 1
        offset = beat.sample - self._before - start
        stop = min(start + n + 3, self._rows.stop)
        if start < self._rows.start or stop - start < n // 2:
            return replace(beat, why="too near a gap or an end")
        wave, good = self._wave[: stop - start - 3], np.ones(len(self._columns), dtype=np.bool_)
        _resample(self._rows.take(start, stop), self._bad.take(start, stop), offset, wave, good)
        if following is not None:
            wave = wave[: max(n // 2, int(following.sample - beat.sample - NEXT * self._rate) + self._before)]
        if not good.any():
            return replace(beat, why="every channel masked")
        level = wave[self._zero(beat.kind, wave, good)].mean(axis=0)
        self.level = np.where(good, level, self.level)
        if beat.kind not in self.piles:
            if len(self.piles) >= self._settings.limit:
                return replace(beat, why="more classes than are kept")
            self.piles[beat.kind] = Pile(n, len(self._columns), self._settings.parts, self._settings.memory)
        wave -= level
        self.piles[beat.kind].add(wave, good, beat.rr)
        return beat

    def _zero(self, kind: str, wave: F64, good: BOOL) -> slice:
        """Return the rows of a class that are called zero: before R where its first beat is stillest, if it is wide.

        A beat from a ventricle begins where others rest, and has no PR segment.
        """
        if not any(one in kind for one in WIDE):
            return self._flat
        if kind not in self._flats:
            wave, length = wave[:, good], self._flat.stop - self._flat.start
            moved = [np.var(wave[k : k + length], axis=0).sum() for k in range(self._flat.start + 1)]
            first = int(np.argmin(moved))
            self._flats[kind] = slice(first, first + length)
        return self._flats[kind]

    def averages(self) -> list[Average]:
        """Return the averages so far, normal first, then the class with most beats."""
        found = [pile.average(kind, self.time, self.sensors) for kind, pile in self.piles.items() if pile.count]
        return sorted(found, key=lambda average: (average.kind != "normal", -average.nave))
