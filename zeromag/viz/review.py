"""A recording looked at afterwards: a place in its timeline, gone to by slider and keys, played at true speed."""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence
from typing import Any

from zeromag.event import Event
from zeromag.mapping.beat import Beat
from zeromag.viz.feed import Feed
from zeromag.viz.scrub import Scrub, beats_until
from zeromag.viz.timeline import Timeline

LATE = 0.15  # s that a film makes up for at most: a machine that is too slow plays slower and leaves nothing out
READY = 2.0  # s of the recording from which there is something to see
AFTER_R = 0.4  # s: with the newest sample there, R and T of the beat are seen


class Review:
    """Holds the place; `news` is what the scanning process announces, taken in `tick` by whoever reads the feed."""

    def __init__(self, timeline: Timeline, feed: Feed, source: str) -> None:
        self.timeline = timeline
        self.feed = feed
        self.source = source
        self.news: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self.position = 0  # stream index after the newest sample shown
        self.samples = 0  # of the whole recording; 0: not known before it has been read
        self.playing = False
        self.notes: list[str] = []  # what is missing, for people
        self.done = False  # the scan has ended
        self._following = True  # until somebody chooses a place
        self._played_ns = 0
        self._scrub = Scrub(timeline, feed)
        feed.mode = "REVIEW"
        feed.message = f"scanning {source}"

    @property
    def rate(self) -> float:
        """Samples per second; 1 before the recording is open."""
        about = self.timeline.description
        return 1.0 if about is None else about.rate

    def tick(self, now_ns: int) -> None:
        """Take what has been scanned since, and go on when playing."""
        grown = False
        while not self.news.empty():
            grown = self._hear(self.news.get()) or grown
        if self.playing:
            passed, self._played_ns = now_ns - self._played_ns, now_ns
            self._show(self.position + round(min(passed / 1e9, LATE) * self.rate))
            self.playing = self.position < self.timeline.stop
        elif grown and self._following:
            self._show(self.timeline.stop)
        self.feed.mode = "REPLAY" if self.playing else "REVIEW"

    def toggle_play(self, now_ns: int) -> None:
        """Play on from here, from the beginning when this is the end; or hold."""
        self.playing, self._following, self._played_ns = not self.playing, False, now_ns
        if self.playing and self.position >= self.timeline.stop:
            self._show(self.timeline.first)

    def seek(self, position: int) -> None:
        """Show the recording up to this sample, as far as it has been scanned."""
        self._following = False
        self._show(position)

    def step(self, seconds: float) -> None:
        """Go on, or back, by this much."""
        self.seek(self.position + round(seconds * self.rate))

    def to_beat(self, direction: int) -> None:
        """Go to the end of the next beat's T, or of the last one's."""
        self._to([self._seen(beat) for beat in self.beats()], direction)

    def to_event(self, direction: int) -> None:
        """Go to the next thing that happened, or the last: a mark, a gap, a channel, a beat unlike the others."""
        places = [event.sample + event.samples + round(self.rate) for event in self.events()]
        places += [self._seen(beat) for beat in self.beats() if beat.kind != "normal"]
        self._to(places, direction)

    def beats(self) -> list[Beat]:
        """Return the beats of the part that has been scanned."""
        return beats_until(self.timeline, self.timeline.stop)

    def events(self) -> list[Event]:
        """Return what else happened there."""
        return [Event(**said.fields) for said in self.timeline.said("event", self.timeline.stop)]

    def _seen(self, beat: Beat) -> int:
        return round(beat.sample + AFTER_R * self.rate)

    def _to(self, places: Sequence[int], direction: int) -> None:
        ahead = [place for place in places if (place - self.position) * direction > 0]
        if ahead:
            self.seek(min(ahead) if direction > 0 else max(ahead))

    def _show(self, position: int) -> None:
        least = min(self.timeline.first + round(READY * self.rate), self.timeline.stop)
        self.position = min(max(position, least), self.timeline.stop)
        self._scrub(self.position)
        self._tell()

    def _hear(self, news: Mapping[str, Any]) -> bool:
        """Take one announcement and return whether there is more to look at."""
        if "samples" in news:
            self.samples = int(news["samples"])
        if "say" in news:
            self.notes.append(str(news["say"]))
        if "ended" in news:
            self.done = True
            if news["ended"] != 0 and not self.notes:
                self.notes.append(f"the scan of {self.source} failed: `zeromag map` tells why")
        if "scanned" in news:
            self.timeline.learn(*news["scanned"])
        self._tell()
        return "scanned" in news

    def _tell(self) -> None:
        """Say how far the scan is, and what is missing."""
        begun = self.timeline.stop - self.timeline.first
        share = f"{100 * begun / self.samples:.0f} %" if self.samples else f"{begun / self.rate:.0f} s"
        self.feed.message = " · ".join([*([] if self.done else [f"scanning, {share} done"]), *self.notes])
        self.feed.version += 1
