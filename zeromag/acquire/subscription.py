"""A stream of another process, whole (every gap repaired or told) or newest first (for eyes)."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from zeromag.acquire.frame import BLOCK, DESCRIPTION, HEADER_BYTES, FrameError, Header
from zeromag.acquire.freshness import Freshness
from zeromag.acquire.gap import after_gap, missing_between
from zeromag.acquire.inbox import Inbox
from zeromag.acquire.link import Link
from zeromag.acquire.message import Description, End, Message
from zeromag.acquire.repair import Frame, Repair
from zeromag.acquire.wire import decode
from zeromag.block import Block
from zeromag.errors import LinkError, SourceLostError
from zeromag.sensors import SensorArray

_HELLO_SECONDS: Final = 1.0
_LOOK_UP_SECONDS: Final = 0.25  # the longest sleep: a hello, a lost publisher, a missing answer are due then


class Subscription:
    """A source fed by a publisher, for one thread; `skipped` counts the stale blocks that a viewer did not want.

    Parameters
    ----------
    endpoint
        Where the publisher is bound, `tcp://HOST:PORT`.
    keys
        Folder with this side's key and the publisher's, off loopback.
    from_start
        Begin with the first frame that the publisher still has, not with the next.
    newest_only
        For viewers: never ask for anything again, skip to now.
    timeout
        Seconds to wait for a description at construction.
    silence
        Seconds without any word after which the publisher is taken for dead.
    reconnect
        Wait for a dead publisher to come back instead of raising.
    """

    def __init__(
        self,
        endpoint: str,
        keys: Path | None = None,
        *,
        from_start: bool = True,
        newest_only: bool = False,
        timeout: float = 5.0,
        silence: float = 1.9,
        reconnect: bool = False,
    ) -> None:
        self._newest_only, self._silence, self._reconnect = newest_only, silence, reconnect
        self._from_start = from_start and not newest_only
        self._lost_before = self._repaired_before = 0
        self._last: Block | None = None  # given out
        self._rejoined = False  # the publisher started anew since
        self.skipped = self._shift = 0  # shift: added to every index, so that the count goes on after a restart
        self._news: Description | None = None
        self._described = b""  # content of the description seen last
        self._ended = False
        self._freshness = Freshness()
        self.endpoint, self._greeted, self._due = endpoint, 0.0, 0.0  # due: when to look up next
        self._link = Link(endpoint, keys)
        self._inbox = Inbox(self._link)
        try:
            found = self._inbox.first_description(timeout)
        except BaseException:
            self._link.close()
            raise
        if found is None:
            self._link.close()
            seen = f"; {self.refused} frames were of no version this zeromag reads" if self.refused else ""
            asked = f"is `zeromag acquire` running there{seen}?"
            raise LinkError(f"no zeromag stream answered at {endpoint} within {timeout:g} s: {asked}")
        self.description = found[0]
        self._begin(found[1])

    @property
    def sensors(self) -> SensorArray:
        """The publisher's array."""
        return self.description.sensors

    @property
    def rate(self) -> float:
        """The publisher's rate, Hz."""
        return self.description.rate

    @property
    def refused(self) -> int:
        """Frames that were malformed."""
        return self._inbox.refused

    @property
    def repaired(self) -> int:
        """Frames the replay server gave again."""
        return self._repaired_before + self._repair.repaired

    @property
    def lost(self) -> int:
        """Frames that nobody had any more."""
        return self._lost_before + self._repair.lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the publisher."""
        self._link.close()

    def blocks(self) -> Generator[Block, None, None]:
        """Yield every block until the stream ends; the publisher is left when the generator closes.

        Raises
        ------
        SourceLostError
            The publisher gave no sign of life for `silence` seconds.
        """
        try:
            while not self._ended:
                message = self.receive(_LOOK_UP_SECONDS)
                if isinstance(message, Block):
                    yield message
        finally:
            self.close()

    def receive(self, timeout: float) -> Message | None:
        """Return the next message in order, or None after `timeout` seconds without one."""
        deadline = time.monotonic() + timeout
        while True:
            message = self._next()
            if message is not None:
                return message
            left = deadline - time.monotonic()
            if left <= 0 or self._ended:
                return None
            self._collect(min(left, _LOOK_UP_SECONDS))

    def _next(self) -> Message | None:
        if self._news is not None:
            news, self._news = self._news, None
            return news
        while (taken := self._repair.take()) is not None:
            header, frame = taken
            try:
                message = decode(frame, self.description, header)
            except FrameError:
                self._inbox.refused += 1
                continue
            if isinstance(message, Block):
                return self._placed(message)
            if isinstance(message, End):
                self._ended = True
                self._link.bye()
                return replace(message, samples=message.samples + self._shift)
            return message
        return None

    def _placed(self, block: Block) -> Block:
        """Return the block where it stands in this subscription's count, with its gap told."""
        if self._last is not None and self._rejoined:
            self._shift = self._last.stop - block.first + missing_between(self._last, block)
            self._rejoined = False
        if self._shift:
            moved = tuple(replace(event, sample=event.sample + self._shift) for event in block.events)
            block = block.amended(first=block.first + self._shift, events=moved)
        if self._last is not None and self._last.rate == block.rate:  # indices of two rates have no gap between them
            block = after_gap(block, self._last.stop, "lost on the way")
        self._last = block
        return block

    def _collect(self, seconds: float) -> None:
        """Wait for a frame and take it; see to all else when something is missing, or from time to time."""
        if self._repair.waiting:
            frame, answer = self._inbox.wait(seconds)
            if answer is not None and answer.epoch == self._epoch:
                self._repair.answer(answer.first, answer.upcoming, answer.frames, time.monotonic())
        else:
            frame = self._inbox.frame(seconds)
        if frame is not None:
            self._live(frame)
        now = time.monotonic()
        if now > self._due or self._repair.upcoming < self._repair.known:
            self._due = now + _LOOK_UP_SECONDS
            self._look_up(now)

    def _look_up(self, now: float) -> None:
        """Ask for what is missing, say hello, notice when the publisher is gone."""
        if self._newest_only:
            if self._repair.upcoming < self._repair.known:
                self._repair.give_up()
        else:
            if now - self._inbox.heard > _HELLO_SECONDS:
                self._repair.pause()
            elif (wanted := self._repair.request(now)) is not None:
                self._link.ask(self._epoch, wanted)
            if now - self._greeted > _HELLO_SECONDS:
                self._greeted = now
                self._link.hello()
        if now - self._inbox.heard > self._silence and not self._reconnect:
            raise SourceLostError(
                f"the publisher at {self.endpoint} gave no sign of life for {now - self._inbox.heard:.1f} s "
                f"after sample {0 if self._last is None else self._last.stop}: look whether it still runs"
            )

    def _live(self, frame: Frame) -> None:
        header = frame[0]
        if header.epoch != self._epoch:
            if header.kind == DESCRIPTION:
                self._restarted(frame)
        elif header.kind == DESCRIPTION:
            self._repair.known = max(self._repair.known, header.sequence)
            self._renew(frame)
        elif self._newest_only and header.kind == BLOCK and self._freshness.stale(header) and self._link.more():
            self.skipped += 1
            self._repair.upcoming = max(self._repair.upcoming, header.sequence + 1)
        else:
            self._repair.live(frame)

    def _renew(self, frame: Frame) -> None:
        """Tell when the session changed, or whether it is kept."""
        if frame[1][HEADER_BYTES:] == self._described:
            return
        self._described = frame[1][HEADER_BYTES:]
        description = self._inbox.description(frame)
        if description is None:
            return
        news = replace(self.description, session=description.session, recording=description.recording)
        if (news.session, news.recording) != (self.description.session, self.description.recording):
            self.description = self._news = news

    def _restarted(self, frame: Frame) -> None:
        """Go over to a new start of the publisher; what was missed between is a gap by its clock."""
        description = self._inbox.description(frame)
        if description is None:
            return
        self._repaired_before, self._lost_before = self.repaired, self.lost
        self.description = self._news = description
        if frame[0].stream != self._stream:  # else it goes on counting from where it was
            self._rejoined, self._shift = True, 0
        self._begin(frame[0])

    def _begin(self, header: Header) -> None:
        self._stream, self._epoch, self._inbox.heard = header.stream, header.epoch, time.monotonic()
        self._repair = Repair(0 if self._from_start else header.sequence, header.sequence)
        if not self._newest_only:
            self._link.reach_replay(self.description.replay)
            self._link.hello()
            self._greeted = self._inbox.heard
