"""What comes over a link, checked: whole frames and whole answers only; the rest is counted and refused."""

from __future__ import annotations

import time
from typing import NamedTuple

from zeromag.acquire.frame import DESCRIPTION, FrameError, Header, check
from zeromag.acquire.link import Link
from zeromag.acquire.message import Description
from zeromag.acquire.repair import Frame
from zeromag.acquire.replay_server import ANSWER, HERE
from zeromag.acquire.wire import decode


class Answer(NamedTuple):
    """What the replay server still had."""

    epoch: int
    first: int  # sequence of the first frame
    upcoming: int  # the next sequence the sender will make
    frames: list[Frame]


class Inbox:
    """Reads one link; `refused` counts what was malformed, `heard` is when anything last came (monotonic s)."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.refused = 0
        self.heard = time.monotonic()

    def frame(self, seconds: float) -> Frame | None:
        """Wait at most so long for a published frame; an answer that comes now waits until one is awaited again."""
        content = self._link.frame(seconds)
        if content is None:
            return None
        self.heard = time.monotonic()
        return self._checked(content)

    def wait(self, seconds: float) -> tuple[Frame | None, Answer | None]:
        """Wait at most so long; return the next published frame and the next answer, either or none."""
        frame, parts = self._link.wait(seconds)
        if frame is None and not parts:
            return None, None
        self.heard = time.monotonic()
        return (None if frame is None else self._checked(frame)), (self._answer(parts) if parts else None)

    def description(self, frame: Frame) -> Description | None:
        """Return the description in a frame, None when there is none."""
        header, content = frame
        if header.kind != DESCRIPTION:
            return None
        try:
            message = decode(content, None, header)
        except FrameError:
            self.refused += 1
            return None
        return message if isinstance(message, Description) else None

    def first_description(self, timeout: float) -> tuple[Description, Header] | None:
        """Return the first description that comes within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            frame, _ = self.wait(left)
            if frame is not None and (description := self.description(frame)) is not None:
                return description, frame[0]
        return None

    def _answer(self, parts: list[bytes]) -> Answer | None:
        head, *frames = parts
        if len(head) != ANSWER.size or head[:4] != HERE:
            self.refused += 1
            return None
        _, epoch, first, upcoming = ANSWER.unpack(head)
        whole = [pair for frame in frames if (pair := self._checked(frame)) and pair[0].kind != DESCRIPTION]
        return Answer(epoch, first, upcoming, whole)

    def _checked(self, frame: bytes) -> Frame | None:
        try:
            return check(frame), frame
        except FrameError:
            self.refused += 1
            return None
