"""The scan: one stream cleaned, its beats found and averaged, its field mapped; the same live and offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from zeromag.block import Block, joined
from zeromag.errors import InputError
from zeromag.event import Event
from zeromag.filters.choose import Choice
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat, own
from zeromag.mapping.field_map import FieldMap
from zeromag.mapping.heart_rate import heart_rate
from zeromag.mapping.live_map import Begin
from zeromag.mapping.map_components import components
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.notes import notes, pauses
from zeromag.pipeline import Tap
from zeromag.scan.aside import Aside
from zeromag.scan.channel_log import ChannelLog
from zeromag.scan.chosen import Choosing, calibrated, chosen
from zeromag.scan.cleaning_log import CleaningLog
from zeromag.scan.hearts import averager, beating
from zeromag.scan.map_now import MapNow
from zeromag.scan.outcome import Outcome
from zeromag.scan.reading import read_beats
from zeromag.scan.sources import read_sources
from zeromag.session import Session
from zeromag.stage import Sink

WAITS = 0.2  # s of the stream that may wait for what is done aside


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one block gave: the cleaned samples, and the beats that are decided now."""

    cleaned: Block
    beats: tuple[Beat, ...]


class Scan:
    """Callable with every block of one stream, in order; `finish`, once, gives the outcome.

    `session` is what holds now: a change that the stream tells of is followed, unless the setting was chosen to be
    another one here; `obey` follows it all the same. With `aside` a thread of its own does what comes behind the
    cleaning, for recordings and for streams that one core cannot carry: beats then come with the outcome, and to
    `tell`, which is called on that thread with all that a block gave.

    Raises
    ------
    InputError
        If the session's settings cannot work with this array and rate, or the stream changes its array midway.
    """

    def __init__(
        self,
        head: Block,
        session: Session,
        *,
        obey: bool = False,
        aside: bool = False,
        tell: Callable[[Scanned], object] | None = None,
    ) -> None:
        self.first = head.first
        self.sensors = calibrated(head.sensors, session)  # as everything behind the chain sees them
        waiting = round(WAITS * head.rate / max(1, len(head)))
        self._obey, self._tell = obey, tell
        self._aside = Aside(self._behind, waiting if tell is not None else 0) if aside else None
        self._channels = ChannelLog(head.sensors)
        self._events: list[Event] = []
        self._beats: list[Beat] = []  # those whose whole window has been seen
        self._stop = self._through = head.first  # of the newest block, and of the newest that beats were looked for in
        self._choosing = Choosing()
        self._begin(head, session)

    def _begin(self, head: Block, session: Session, choice: Choice | None = None) -> None:
        """Start cleaning, beats, averages and maps with this block; raises InputError, and nothing has changed."""
        choice = choice or self._choosing.choice(head, session)
        seen = replace(head, sensors=self.sensors)
        hearts = beating(seen, session)
        self.session, self._head, self.reason = session, head, choice.reason
        self._chain = choice.chain
        self._taps = choice.chain.tapped()
        self.cleaning = CleaningLog(choice.chain, head, float(session.clean.line or 50))
        self._hearts = hearts
        self.mapper = Mapper(pixels=session.map.pixels)
        asked = self._aside is None or self._tell is not None  # of a recording nobody asks
        self._map_now = MapNow(seen, self.mapper) if asked else None

    def takes(self, block: Block) -> bool:
        """Return whether a block is of the stream that this scan began with."""
        return block.rate == self._head.rate and block.sensors.same_as(self._head.sensors)

    def fits(self, session: Session) -> None:
        """Raise InputError when these settings cannot work with this array and rate."""
        chosen(self._head, session)
        averager(session)

    def __call__(self, block: Block, at_once: Sink | None = None) -> Scanned:
        """Take the next block; settings that changed inside it hold from their sample on.

        `at_once` is given the cleaned samples as soon as there are any, before beats are looked for in them: taking
        one can last longer than a block of a large array, and who follows the samples need not wait for it.
        """
        parts, rest = [], block
        while edges := self._choosing.edges(rest):
            at = min(edges) - rest.first
            parts.append(self._scanned(rest.part(0, at), at_once))
            rest = rest.part(at, len(rest))
        parts.append(self._scanned(rest, at_once))
        if len(parts) == 1:
            return parts[0]
        return Scanned(joined([part.cleaned for part in parts]), tuple(beat for part in parts for beat in part.beats))

    def _scanned(self, block: Block, at_once: Sink | None) -> Scanned:
        if not self.takes(block):
            raise InputError("the source changed its channels or its rate: start a new scan for what follows")
        if block.first < self._stop:
            raise InputError(f"the source went back to sample {block.first} after {self._stop}")
        gap = [Event(self._stop, "gap", samples=block.first - self._stop)] if block.first > self._stop else []
        self._stop = block.stop
        closed, said = self._change(block), self.reason
        closed += self._heed_the_room(block)
        taps = self._taps(block)
        self._choosing.watch(taps, self.session)
        if said != self.reason:
            told = Event(block.first, "cleaning", why=self.reason)
            taps = [*taps[:-1], taps[-1].with_data(taps[-1].data, events=(told,))]
        if at_once is not None:
            at_once(taps[-1])
        if self._aside is not None:
            self._aside((closed, gap, taps))
            return Scanned(taps[-1], ())
        return self._behind((closed, gap, taps))

    def _behind(self, given: tuple[list[Beat], list[Event], Tap]) -> Scanned:
        """Take the beats that older settings left, the gap before a block if any, and its taps, raw first."""
        closed, gap, taps = given
        cleaned = taps[-1]
        self.cleaning(taps)
        self._channels(taps[1])
        self._events += [*gap, *(event for event in cleaned.events if event.kind != "gap")]
        found = self._hearts(cleaned)
        self._beats += found.done
        if self._map_now is not None:
            self._map_now(cleaned, found.beats)
        self._through = cleaned.stop
        scanned = Scanned(cleaned, (*closed, *found.beats))
        if self._tell is not None:
            self._tell(scanned)
        return scanned

    def _change(self, block: Block) -> list[Beat]:
        """Start anew with the settings that change with this block; the beats so far stay, their averages do not.

        Return the beats that the end of the old settings decided.
        """
        session = self.session
        for event in block.events:
            if event.kind == "session":
                session = session.followed(event.why, obey=self._obey)
        if session == self.session:
            return []
        self._settle()
        try:
            self.fits(session)
        except InputError as error:
            self._events.append(Event(block.first, "session/refused", why=str(error)))
            return []
        return self._anew(block, session)

    def _heed_the_room(self, block: Block) -> list[Beat]:
        """Go on with what the room asks for once it has been looked at; only another chain starts anew."""
        if not self._choosing.due(block):
            return []
        choice = self._choosing.choice(block, self.session)
        if choice.chain != self._chain:
            return self._anew(block, self.session, choice)
        self.reason = choice.reason
        return []

    def _anew(self, block: Block, session: Session, choice: Choice | None = None) -> list[Beat]:
        """Start anew with this block: beats cleaned in two ways are not averaged; those so far stay."""
        self._settle()
        closed = self._hearts.finish()
        self._beats += closed.done
        self._begin(block, session, choice)
        return list(closed.beats)

    def _settle(self) -> None:
        """Wait for what is done aside."""
        if self._aside is not None:
            self._aside.wait()

    def live_map(self, begin: Begin | None = None) -> FieldMap | None:
        """Return the map of the newest sample; None of a recording, without an array for it, or until `begin` did."""
        return None if self._map_now is None else self._map_now.now(begin)

    def averages(self) -> list[Average]:
        """Return the averages so far, normal first."""
        return self._hearts.averages()

    def status(self) -> dict[str, Any]:
        """Return what a viewer is told of the scan, without the costs of cleaning until they are known."""
        counted = [beat for beat in self._beats if not beat.why]
        return {
            "samples": self._through - self.first,
            "seconds": self.seconds,
            "gaps": sum(event.kind == "gap" for event in self._events),
            "heart_rate": heart_rate(own(self._beats)[-20:]),
            "beats": {kind: sum(beat.kind == kind for beat in counted) for kind in {beat.kind for beat in counted}},
            "mains_hz": self._mains_hz(),
            "channels": self._channels.now(),
            "cleaning": self.cleaning.report_if_known(),
            "chain_reason": self.reason,
        }

    def finish(self) -> Outcome:
        """Return everything that was found; the scan is over."""
        if self._aside is not None:
            self._aside.close()
        self._beats += self._hearts.finish().done
        self._beats.sort(key=lambda beat: beat.sample)
        averages = self.averages()
        channels = self._channels.report()
        reading = read_beats(averages, self._beats, self.seconds, self.mapper, channels)
        sources = read_sources(averages, reading.dipoles, self.session)
        heart, rate = own(self._beats), self._head.rate
        gaps = [(event.sample, event.samples) for event in self._events if event.kind == "gap"]
        still = pauses(heart, self.first, self._stop, rate, gaps)
        self._events += [Event(at, "pause", samples=n, why=f"no heartbeat for {n / rate:.1f} s") for at, n in still]
        return Outcome(
            sensors=self.sensors,
            rate=rate,
            first=self.first,
            stop=self._stop,
            events=tuple(self._events),
            beats=tuple(self._beats),
            averages=tuple(averages),
            maps=reading.maps,
            components=next((components(one, self.mapper) for one in averages if one.main), None),
            dipoles=sources.dipoles,
            sources=sources,
            no_map=reading.no_map,
            channels=channels,
            heart_rate=heart_rate(own(self._beats)),
            parameters=reading.parameters,
            channel_qt=reading.channel_qt,
            usable=reading.usable,
            notes=notes(heart, still, self.first, rate),
            cleaning=self.cleaning.report(),
            chain_reason=self.reason,
        )

    @property
    def silent(self) -> float:
        """How long ago the last beat was, as far as beats are decided, s; from the beginning when there was none."""
        return max(0.0, (self._through - max((b.sample for b in self._beats), default=self.first)) / self._head.rate)

    @property
    def seconds(self) -> float:
        """How much of the stream there was, gaps counted, as far as beats were looked for, s."""
        return (self._through - self.first) / self._head.rate

    @property
    def beats(self) -> tuple[Beat, ...]:
        """The beats so far whose whole window has been seen."""
        return tuple(self._beats)

    def _mains_hz(self) -> float | None:
        said = next((event.why for event in reversed(self._events) if event.kind == "mains"), None)
        return None if said is None else float(said.split()[0])
