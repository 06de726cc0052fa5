"""Beats out of the stream: found by the power of the QRS band over the array, told apart by their shape.

A stream without a heart gives no beat at all: nothing is believed before four peaks look alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.candidate import Candidate, alike_groups, believable, usual_first
from zeromag.mapping.classes import NOISY, Classes
from zeromag.mapping.heart_columns import heart_columns
from zeromag.mapping.history import History
from zeromag.mapping.rhythm import Rhythm
from zeromag.mapping.template import Fit, Template
from zeromag.qrs_power import QrsPower

LEARN = 12.0  # s of peaks that the search for a first template looks back on
WAIT = 2.0  # s before the first such search
PAD = 0.4  # s of stillness put before the first and after the last sample
RANKED = 24  # of them, the highest, are compared
SURE = 0.9  # correlation that even a doubtful peak is believed with


@dataclass(frozen=True, slots=True)
class Beats:
    """Settings of the beat detector.

    The columns are the good `mag` channels; on a stream without any, the `ecg` channels; `channel` names a
    single one instead.
    """

    channel: str = ""
    alike: float = 0.75  # correlation from which two beats are of one class
    agree: int = 4  # beats alike before any is believed
    contrast: float = 2.15  # of beats over the mean envelope from which they are believed
    classes: int = 8  # most shapes kept

    def __post_init__(self) -> None:
        if not 0 < self.alike < 1:
            raise ValueError(f"alike must lie between 0 and 1, got {self.alike}")
        if self.agree < 2:
            raise ValueError(f"agree must be 2 or more, got {self.agree}")

    def start(self, head: Block) -> Search:
        """Return the search for the stream that begins with `head`; call it with every block, then `finish`."""
        return Search(self, head)


class Search:
    """The running detector. What it returns does not depend on how the stream is cut into blocks."""

    def __init__(self, settings: Beats, head: Block) -> None:
        self._settings = settings
        self._columns = heart_columns(head.sensors, settings.channel)
        self._rate = head.rate
        self._rhythm = Rhythm(head.rate)
        self._last: Block | None = None
        self._restart(head)
        self._classes = Classes(head.rate, settings.alike, settings.classes, self._raw, self._band)

    def _restart(self, head: Block) -> None:
        self._power = QrsPower(len(self._columns), head.rate)
        length = round((LEARN + 4.0) * head.rate)
        # before the first sample the world is taken to have stood still, so that a beat there has its surroundings
        pad = round(PAD * head.rate)
        self._raw = History(length, len(self._columns), head.first - pad)
        self._band = History(length, len(self._columns), head.first - pad)
        self._raw.append(np.repeat(head.data[:1, self._columns], pad, axis=0))
        self._band.append(np.zeros((pad, len(self._columns))))
        self._begin = head.first
        self._waiting: list[Candidate] = []  # while nothing is believed yet: all; later: passed over, for search-back
        self._pairs: dict[tuple[int, int], Fit] = {}

    @property
    def trusted(self) -> bool:
        """Whether beats have been found that look alike."""
        return bool(self._classes.templates)

    def __call__(self, block: Block) -> list[Beat]:
        """Return the beats that are now decided, in order; they lie some 0.3 s back, at the start up to 12 s."""
        beats: list[Beat] = []
        if self._last is not None and not block.follows(self._last):
            if not block.sensors.same_as(self._last.sensors) or block.rate != self._rate:
                raise ValueError("a search goes on with the same sensors and rate; start a new one")
            beats += self.finish()
            self._restart(block)
            self._classes.go_on(self._raw, self._band)
            self._rhythm.after_gap()
        self._last = block
        bad = block.bad()
        step = round(self._rate)
        for begin in range(0, len(block), step):
            # `take` keeps rows contiguous, which indexing with two indices does not: one compiled kernel
            part = slice(begin, begin + step)
            data, masked = block.data[part].take(self._columns, axis=1), bad[part].take(self._columns, axis=1)
            beats += self._take(data, masked, block.first + begin)
        return beats

    def finish(self) -> list[Beat]:
        """Return what was still undecided, the stream having ended or broken off."""
        if self._last is None:
            return []
        stop, pad = self._last.stop, round(PAD * self._rate)
        last = np.repeat(self._last.data[-1:].take(self._columns, axis=1), pad, axis=0)
        bad = np.repeat(self._last.bad()[-1:].take(self._columns, axis=1), pad, axis=0)
        self._last = None
        beats = [beat for beat in self._take(last, bad, stop) if beat.sample < stop and beat.correlation >= SURE]
        if not self.trusted and len(self._waiting) > 1:
            beats += self._learn(at_least=2, alike=0.9)
        self._waiting = []
        return beats

    def _take(self, data: F64, bad: BOOL, first: int) -> list[Beat]:
        band, peaks = self._power(data, bad, first)
        self._band.append(band)
        self._raw.append(data)
        beats: list[Beat] = []
        for peak in peaks:
            start, stop = self._classes.span(peak.at)
            if not self._band.holds(start, stop):
                continue
            candidate = Candidate(peak, self._band.take(start, stop).copy())
            if self._rhythm.lost(peak.at, LEARN):
                self._classes.forget()
                self._rhythm = Rhythm(self._rate)
            if self.trusted:
                beats += self._judge(candidate)
                continue
            oldest = peak.at - LEARN * self._rate
            self._waiting = [one for one in self._waiting if one.peak.at >= oldest] + [candidate]
            self._pairs = {key: found for key, found in self._pairs.items() if min(key) >= oldest}
            if peak.at - self._begin >= WAIT * self._rate:
                beats += self._learn(self._settings.agree, self._settings.alike)
        return beats

    def _learn(self, at_least: int, alike: float) -> list[Beat]:
        """Look for peaks that are alike; when there are enough, judge all that waited."""
        ranked = sorted(self._waiting, key=lambda one: -one.peak.height)[:RANKED]
        groups = alike_groups(ranked, self._pair, at_least, alike)
        wanted = self._settings
        if not groups or not believable(groups, ranked, self._power.floor, wanted.contrast, wanted.agree):
            return []
        for group in usual_first(groups):
            self._classes.add(group, "ectopic" if self._classes.templates else "normal")
        self._rhythm.begin(max(template.height for template in self._classes.templates))
        waiting, self._waiting = self._waiting, []
        return [beat for one in waiting for beat in self._judge(one)]

    def _pair(self, one: Candidate, seed: Candidate) -> Fit:
        """Return how `one` lies on `seed`, reckoned once."""
        key = (one.peak.at, seed.peak.at)
        if key not in self._pairs:
            self._pairs[key] = self._classes.pair(one, seed)
        return self._pairs[key]

    def _judge(self, candidate: Candidate) -> list[Beat]:
        """Decide on a peak, and on those passed over before it when a beat is missing."""
        beats: list[Beat] = []
        at = candidate.peak.at
        if self._rhythm.missing(at):
            passed = [one for one in self._waiting if self._rhythm.may_be_missed(one.peak.at, one.peak.height, at)]
            for one in sorted(passed, key=lambda one: -one.peak.height):
                best, found = self._classes.best(one)
                sure = SURE if self._rhythm.soon(one.peak.at, one.peak.height) else self._settings.alike
                if found.correlation >= sure:
                    beats.append(self._beat(one, best, found))
                    break
            self._waiting = [one for one in self._waiting if one.peak.at > self._rhythm.last]
        height = candidate.peak.height
        if not self._rhythm.likely(at, height):
            self._pass_over(candidate)
            return beats
        best, found = self._classes.best(candidate)
        fits = found.correlation >= best.bar(self._settings.alike)
        strange = not fits and self._rhythm.low(height, best.height, noisy=best.typical < NOISY)
        if strange or (self._rhythm.soon(at, height) and found.correlation < SURE):
            self._pass_over(candidate)
            return beats
        beats.append(self._beat(candidate, best, found))
        self._waiting = []
        return beats

    def _pass_over(self, candidate: Candidate) -> None:
        self._rhythm.noise(candidate.peak.height)
        self._waiting = [*self._waiting[-15:], candidate]

    def _beat(self, candidate: Candidate, best: Template, found: Fit) -> Beat:
        """Name the beat, teach its template, and tell the rhythm."""
        why = ""
        fits = found.correlation >= best.bar(self._settings.alike)
        if fits:
            self._classes.learn(best, candidate, found)
            kind, after = best.kind, best.r_after
        else:
            early = self._rhythm.early(candidate.peak.at)
            kind, after = self._classes.stranger(candidate, best, found, early=early)
            found = Fit(found.correlation, 0.0)
            why = f"correlation {found.correlation:.2f} with the nearest class" if kind == "unlike" else ""
        sample = candidate.peak.at + found.shift + after
        if any(self._rhythm.last < lost < candidate.peak.at for lost in self._power.blinded):
            self._rhythm.after_gap()  # nobody knows what beat while nothing was seen
        rr = self._rhythm.beat(candidate.peak.at, sample, candidate.peak.height)
        if kind == "normal" and self._rhythm.premature(rr):
            kind = "premature"
        return Beat(sample=sample, kind=kind, why=why, rr=rr, correlation=found.correlation)
