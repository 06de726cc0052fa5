"""Beats without maps: of magnetometers as a map of them has them, or of an ECG as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.detect import Beats
from zeromag.mapping.notes import notes, pauses
from zeromag.scan.chosen import calibrated, chosen
from zeromag.scan.hearts import beating
from zeromag.session import Session


@dataclass(slots=True)
class Rhythm:
    """The beats of a source, in order, and where it begins, ends and has gaps."""

    rate: float  # Hz
    first: int = 0  # sample
    stop: int = 0  # sample after the last
    beats: list[Beat] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)  # first missing sample, samples

    def passing(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Give the blocks on, and keep where they begin, break off and end."""
        for block in blocks:
            if self.stop == 0:
                self.first = self.stop = block.first
            if block.first > self.stop:
                self.gaps.append((self.stop, block.first - self.stop))
            self.stop = block.stop
            yield block

    def notes(self) -> tuple[str, ...]:
        """Return what must be said beside the beats, in sentences: above all that there are none."""
        seconds = (self.stop - self.first) / self.rate
        if not self.beats:
            return (f"no heartbeat found in {seconds:.0f} s: no peaks stand out of the noise and look alike",)
        still = pauses(self.beats, self.first, self.stop, self.rate, self.gaps)
        return notes(self.beats, still, self.first, self.rate)


def find_beats(source: Source, session: Session, channel: str = "") -> Rhythm:
    """Return every beat in order; `channel` names a single one to look at.

    Interference looks more like beats than P and T waves do: magnetometers are cleaned by the session's chain first.

    Raises
    ------
    InputError
        If the source cannot be read, no channel could show a heart, or the settings cannot work with this array.
    """
    rhythm = Rhythm(source.rate)
    blocks = rhythm.passing(source.blocks())
    head = next(blocks, None)
    if head is None:
        return rhythm
    good = head.sensors.usable()
    magnetic = {head.sensors.names[column] for column in head.sensors.of_kind("mag") if good[column]}
    blocks = chain((head,), blocks)
    if channel in magnetic or (magnetic and not channel):
        step = chosen(head, session).chain.start(head)
        blocks = map(step, blocks)
    if channel or not magnetic:
        search = Beats(channel=channel).start(head)
        for block in blocks:
            rhythm.beats += search(block)
        rhythm.beats += search.finish()
        return rhythm
    hearts = beating(replace(head, sensors=calibrated(head.sensors, session)), session)
    for block in blocks:
        rhythm.beats += hearts(block).done
    rhythm.beats = sorted([*rhythm.beats, *hearts.finish().done], key=lambda beat: beat.sample)
    return rhythm
