"""Puts the frames of one epoch back in order and says what to ask for; knows no socket."""

from __future__ import annotations

from collections import deque
from typing import Final

from zeromag.acquire.frame import Header

Frame = tuple[Header, bytes]  # checked

HELD_BYTES: Final = 64 << 20  # live frames kept while a gap before them is being repaired
ASK_AGAIN_SECONDS: Final = 1.0
GIVE_UP_SECONDS: Final = 5.0


class Repair:
    """Live frames and repaired frames in, one unbroken row out.

    `upcoming` is the next sequence to give out, `known` the next one the sender will make.
    """

    def __init__(self, upcoming: int, known: int) -> None:
        self.upcoming, self.known = upcoming, known
        self.repaired = self.lost = 0
        self._ready: deque[Frame] = deque()
        self._held: dict[int, Frame] = {}
        self._held_bytes = 0
        self._asked = self._since = 0.0  # 0: nothing asked, nothing missing

    @property
    def waiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._asked > 0

    def live(self, frame: Frame) -> None:
        """Take a frame as it came."""
        sequence, size = frame[0].sequence, len(frame[1])
        if sequence >= self.known:
            self.known = sequence + 1
        if sequence == self.upcoming:
            self._give(frame)
            if self._held:
                self._drain()
            if self.upcoming == self.known:
                self._since = 0.0
        elif sequence > self.upcoming and self._held_bytes + size <= HELD_BYTES and sequence not in self._held:
            self._held[sequence] = frame
            self._held_bytes += size

    def answer(self, first: int, known: int, frames: list[Frame], now: float) -> None:
        """Take what the replay server still had from `first` on."""
        self.known = max(self.known, known)
        self._asked = 0.0
        moved = False
        if self.upcoming < first <= self.known:
            self._skip_to(first)
            moved = True
        for frame in frames:
            if frame[0].sequence == self.upcoming:
                self.repaired += 1
                self._give(frame)
                moved = True
        self._drain()
        if moved:
            self._since = now if self.upcoming < self.known else 0.0

    def request(self, now: float) -> int | None:
        """Return the sequence to ask from, None when nothing is missing or an answer is awaited."""
        if self.upcoming >= self.known:
            return None
        self._since = self._since or now
        if now - self._since > GIVE_UP_SECONDS:
            self.give_up()
            return None
        if self._asked and now - self._asked < ASK_AGAIN_SECONDS:
            return None
        self._asked = now
        return self.upcoming

    def pause(self) -> None:
        """Forget what was asked while the sender is not heard: patience counts from when it is back."""
        self._asked = self._since = 0.0

    def give_up(self) -> None:
        """Go on with the oldest frame held, or with the next one to come; what lies before is lost."""
        self._skip_to(min(self._held, default=self.known))
        self._drain()
        self._since = self._asked = 0.0

    def take(self) -> Frame | None:
        """Return the next frame in order, if there is one."""
        return self._ready.popleft() if self._ready else None

    def _give(self, frame: Frame) -> None:
        self._ready.append(frame)
        self.upcoming += 1

    def _skip_to(self, sequence: int) -> None:
        self.lost += sum(number not in self._held for number in range(self.upcoming, sequence))
        for number in sorted(number for number in self._held if number < sequence):
            self._ready.append(self._pop(number))
        self.upcoming = sequence

    def _drain(self) -> None:
        while self.upcoming in self._held:
            self._give(self._pop(self.upcoming))
        if self._held and min(self._held) < self.upcoming:  # given meanwhile by the replay server
            for number in [number for number in self._held if number < self.upcoming]:
                self._pop(number)

    def _pop(self, number: int) -> Frame:
        frame = self._held.pop(number)
        self._held_bytes -= len(frame[1])
        return frame
