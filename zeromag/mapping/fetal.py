"""Two hearts in one stream: the mother's beats found and taken out, then those of the fetus.

Blind separation (ICA) of the first seconds gives directions in which one heart beats alone; the mother's is the slower
one. Her average beat is subtracted from all channels, what is left is separated again, and the direction whose power
repeats 100 to 220 times a minute is the fetus's; its row of beats is followed by dynamic programming.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.fetal_pulse import BAND, FetalPulse
from zeromag.mapping.heart_columns import heart_columns
from zeromag.mapping.history import History
from zeromag.mapping.maternal import Maternal
from zeromag.mapping.maternal_pulse import MaternalPulse

HOP = 0.25  # s, the stream is worked on in pieces that start at multiples of this after its first sample
LOOK = 2.0  # s that a beat of the mother may take to be decided
AGAIN = 4.0  # s between two looks for a mother who is not seen
KEEP = 30.0  # s of samples kept
BLIND = 3.0  # s without one of the channels in use, after which the directions are learned anew


@kernel
def _held(data: F64, bad: BOOL, last: F64, out: F64) -> None:
    """Copy, with the last good value where a sample is bad."""
    for t in range(data.shape[0]):
        for c in range(data.shape[1]):
            if not bad[t, c] and np.isfinite(data[t, c]):
                last[c] = data[t, c]
            out[t, c] = last[c]


@dataclass(frozen=True, slots=True)
class Fetal:
    """Settings of the search for a fetus beside its mother."""

    learn: float = 12.0  # s that directions are learned from
    components: int = 8  # most directions that are told apart
    slowest: float = 105.0  # 1/min, a single heart faster than this is the fetus's, with no mother in sight

    def __post_init__(self) -> None:
        if not 6.0 <= self.learn <= 20.0:
            raise ValueError(f"learn must be 6 to 20 s, got {self.learn}")
        if self.components < 2:
            raise ValueError(f"components must be 2 or more, got {self.components}")

    def start(self, head: Block) -> TwoHearts:
        """Return the search for the stream that begins with `head`."""
        return TwoHearts(self, head)


@dataclass(frozen=True, slots=True)
class Hearts:
    """What one call gave: beats that are now decided, and the stream without the mother, some seconds late."""

    mother: tuple[Beat, ...] = ()
    fetus: tuple[Beat, ...] = ()
    alone: tuple[Block, ...] = field(default=())  # the fetus's channels; what is not a heart channel is as it came


class TwoHearts:
    """The running search; what it returns, joined, does not depend on how the stream is cut into blocks."""

    def __init__(self, settings: Fetal, head: Block) -> None:
        if head.rate <= 2.2 * BAND[1]:
            raise ValueError(f"a fetus needs a rate above {2.2 * BAND[1]:.0f} Hz, got {head.rate:g} Hz")
        self._settings, self._rate = settings, head.rate
        self._columns: I64 = heart_columns(head.sensors)
        self._hop = round(HOP * head.rate)
        self._open(head)

    def _open(self, head: Block) -> None:
        """Begin at the head of a stretch without gaps."""
        n, length = len(self._columns), round(KEEP * self._rate)
        self._first, self._last = head.first, head
        self._rows = History(length, n, head.first)
        self._bad = History(length, n, head.first)
        self._all = History(length, len(head.sensors), head.first)
        self._mask = History(length, len(head.sensors), head.first)
        self._held_at = head.data[0, self._columns].copy()
        self._held_at[~np.isfinite(self._held_at)] = 0.0
        self._open_data: list[Block] = []  # less than a hop
        self._anew(head.first)

    def _anew(self, at: int) -> None:
        """Learn all directions again, from sample `at` on."""
        self._begin, self._done = at, at
        self._mother: MaternalPulse | None = None
        self._fetus: FetalPulse | None = None
        self._maternal = Maternal(self._rate)
        self._blind = 0

    def __call__(self, block: Block) -> Hearts:
        """Take a block; gaps are closed first."""
        hearts = Hearts()
        if block.first != self._stop and not block.follows(self._last):
            hearts = self.finish()
            self._open(block)
        self._last = block
        self._open_data.append(block)
        start, stop = self._rows.stop, block.stop
        for _ in range((stop - self._first) // self._hop - (start - self._first) // self._hop):
            hearts = _joined(hearts, self._step(self._hop))
        return hearts

    @property
    def _stop(self) -> int:
        return self._open_data[-1].stop if self._open_data else self._rows.stop

    def finish(self) -> Hearts:
        """Return what was still open, the stream having ended or broken off."""
        rest = self._stop - self._rows.stop
        hearts = self._step(rest) if rest else Hearts()
        mother = self._learn_mother(last=True) if self._mother is None else []
        mother += self._mother.finish() if self._mother is not None else []
        self._maternal.take(mother)
        self._maternal.learn(self._rows)
        hearts = _joined(hearts, self._clean(self._rows.stop))
        hearts = _joined(hearts, Hearts(mother=tuple(mother)))
        if self._fetus is not None:
            hearts = _joined(hearts, Hearts(fetus=tuple(self._fetus.finish())))
        return hearts

    def _step(self, samples: int) -> Hearts:
        """Take the next samples that wait; look for the mother, and for the fetus where she is known."""
        self._append(samples)
        beats: list[Beat] = []
        if self._mother is None:
            beats = self._learn_mother()
        else:
            start = self._rows.stop - samples
            beats = self._mother(self._rows.take(start, self._rows.stop), self._bad_rows(start), start)
        self._maternal.take(beats)
        self._maternal.learn(self._rows)
        hearts = Hearts(mother=tuple(beats))
        if self._mother is not None:
            until = self._rows.stop - round(LOOK * self._rate)
            hearts = _joined(hearts, self._clean(self._first + (until - self._first) // self._hop * self._hop))
            self._watch(samples)
        return hearts

    def _append(self, samples: int) -> None:
        """Move samples from the blocks that wait into the histories."""
        while samples:
            block = self._open_data[0]
            part = block.part(0, min(samples, len(block)))
            bad = part.bad() | ~np.isfinite(part.data)
            held = np.empty((len(part), len(self._columns)))
            _held(part.data.take(self._columns, axis=1), bad.take(self._columns, axis=1), self._held_at, held)
            self._rows.append(held)
            self._bad.append(bad[:, self._columns].astype(np.float64))
            self._all.append(part.data)
            self._mask.append(bad.astype(np.float64))
            samples -= len(part)
            rest = block.part(len(part), len(block)) if len(part) < len(block) else None
            self._open_data = [*([rest] if rest is not None else []), *self._open_data[1:]]

    def _bad_rows(self, start: int) -> BOOL:
        return np.asarray(self._bad.take(start, self._rows.stop) > 0, dtype=np.bool_)

    def _learn_mother(self, *, last: bool = False) -> list[Beat]:
        """Look for the mother in the newest seconds, now and then; return her beats since the beginning."""
        stop, span = self._rows.stop, round(self._settings.learn * self._rate)
        late = (stop - self._begin) - span
        if late < 0 or (not last and late % round(AGAIN * self._rate) >= self._hop):
            return []
        start = stop - span
        good = self._bad.take(start, stop).max(axis=0) == 0.0
        self._mother = MaternalPulse.learn(self._rows.take(start, stop), good, self._rate, start, self._settings)
        if self._mother is None:
            return []
        begin = max(self._begin, self._rows.start)
        self._begin = self._done = begin
        return self._mother.since(self._rows.take(begin, stop), self._bad_rows(begin), begin)

    def _clean(self, until: int) -> Hearts:
        """Take the mother out as far as she is known, and look for the fetus there."""
        if self._mother is None or until <= self._done:
            return Hearts()
        start, self._done = self._done, until
        alone, unclean = self._maternal.without(self._rows, start, until)
        data, mask = self._all.take(start, until).copy(), self._mask.take(start, until) > 0
        data[:, self._columns] = alone
        mask[:, self._columns] |= unclean[:, None]
        block = Block(data=data, first=start, rate=self._rate, sensors=self._last.sensors, mask=mask)
        if self._fetus is None:
            self._fetus = FetalPulse(self._settings.learn, self._settings.components, self._rate, start)
        return Hearts(fetus=tuple(self._fetus(alone, mask[:, self._columns], start)), alone=(block,))

    def _watch(self, samples: int) -> None:
        """Learn anew when a channel that the directions lean on has gone."""
        used = self._mother.used if self._mother is not None else np.zeros(len(self._columns), dtype=np.bool_)
        gone = bool(self._bad_rows(self._rows.stop - samples)[:, used].any())
        self._blind = self._blind + samples if gone else 0
        if self._blind > BLIND * self._rate and self._done > self._rows.stop - round(3 * self._rate):
            self._anew(self._done)


def _joined(one: Hearts, other: Hearts) -> Hearts:
    return Hearts(one.mother + other.mother, one.fetus + other.fetus, one.alone + other.alone)
