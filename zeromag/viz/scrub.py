"""Any place of a timeline into a feed: what a viewer of the running stream had seen at that sample."""

from __future__ import annotations

import numpy as np

from zeromag.acquire.message import Result
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.mapper import Mapper
from zeromag.scan.map_now import KEPT, MapNow
from zeromag.viz.feed import Feed
from zeromag.viz.timeline import Timeline

SECONDS = 20.0  # of traces
AGED = 30.0  # s after which the resting level before a beat is not looked for any more


class Scrub:
    """Callable with the stream index after the newest sample that is to be seen."""

    def __init__(self, timeline: Timeline, feed: Feed) -> None:
        self._timeline = timeline
        self._feed = feed
        self._mapper = Mapper()
        self._told = 0  # how many states the feed's history has heard
        self._said: dict[str, Result] = {}  # what the feed was given last, by name and class

    def __call__(self, stop: int) -> None:
        """Show traces, beats, averages, numbers and the map as they were at `stop`."""
        timeline, feed = self._timeline, self._feed
        about = timeline.description
        if about is None or stop <= timeline.first:
            return
        if feed.stream is None:
            feed.describe(about.sensors, about.rate, about.session)
        self._show_traces(stop, about.rate)
        beats = beats_until(timeline, stop)
        feed.show_beats(beats)
        self._show_said(stop)
        normal = feed.averages.get("normal")
        if normal is not None and normal.good.any():
            feed.scale.hold(float(np.abs(normal.wave[:, normal.good]).max()))
        shown = self.map_at(stop)
        if shown is None:
            feed.map = None
        else:
            feed.show_map(shown, stop - 1)

    def map_at(self, stop: int) -> FieldMap | None:
        """Return the live map of the sample before `stop`, from the same resting level as then."""
        about = self._timeline.description
        if about is None:
            return None
        told = self._timeline.said_at("beat", stop)
        back = round(KEPT * about.rate)
        recent = [(at, said) for at, said in told[-2:] if at > stop - AGED * about.rate]
        start = max(self._timeline.first, min([stop, *(at for at, _ in recent)]) - back)
        block = self._timeline.block(start, stop)
        now = MapNow(block.part(0, 1), self._mapper)
        if now.why_not:
            return None
        at = start
        for decided in dict.fromkeys(sample for sample, _ in recent):
            now(_part(block, at, decided), [beat_of(said) for sample, said in recent if sample == decided])
            at = decided
        if at < stop:
            now(_part(block, at, stop), [])
        return now.now()

    def _show_traces(self, stop: int, rate: float) -> None:
        stream = self._feed.stream
        seen = stream.values.stop if stream is not None else 0
        start = max(self._timeline.first, stop - round(SECONDS * rate))
        if stop == seen:
            return
        if start < seen < stop:
            start = seen  # only what is new: the picture goes on
        self._feed.block(self._timeline.block(start, stop))

    def _show_said(self, stop: int) -> None:
        """Give the newest of each class and name; a class that was not there yet is taken away."""
        newest = {f"average {said.fields['kind']}": said for said in self._timeline.said("average", stop)}
        status = self._timeline.said("status", stop)
        if status:
            newest["status"] = status[-1]
        if len(status) != self._told:
            self._told = len(status)
            self._feed.history.clear()  # a later place in the recording knows more of it
            for said in status:
                self._feed.take(said)
        kinds = {name.removeprefix("average ") for name in newest if name.startswith("average ")}
        self._feed.averages = {kind: one for kind, one in self._feed.averages.items() if kind in kinds}
        for name, said in newest.items():
            if self._said.get(name) is not said:
                self._feed.take(said)
        self._said = newest


def beats_until(timeline: Timeline, stop: int) -> list[Beat]:
    """Return the beats that were known at `stop`, in order."""
    return [beat_of(said) for said in timeline.said("beat", stop)]


def beat_of(said: Result) -> Beat:
    """Return the beat that was said."""
    fields = said.fields
    rr = fields.get("rr_s")
    return Beat(
        sample=float(fields["sample"]),
        kind=str(fields.get("kind", "normal")),
        why=str(fields.get("why", "")),
        rr=float("nan") if rr is None else float(rr),
    )


def _part(block: Block, start: int, stop: int) -> Block:
    return block.part(start - block.first, stop - block.first)
