"""The newest frames of a stream, in memory for those that missed them."""

from __future__ import annotations

from typing import Final

_SLOTS: Final = 1024  # at first; twice as many whenever all are taken


class Shelf:
    """The newest frames by sequence, up to a number of bytes: one writer, one reader, no lock.

    Frames lie in a ring of slots, which stands still once it holds `most_bytes`. A dict that frames come to and go
    from builds its table anew every few minutes, and its memory grew by steps for the first quarter of an hour.
    """

    def __init__(self, most_bytes: int) -> None:
        self._slots: list[tuple[int, bytes] | None] = [None] * _SLOTS
        self._oldest = self._upcoming = 0
        self._bytes, self._most = 0, most_bytes

    def put(self, frame: bytes) -> None:
        """Keep the frame of the next sequence, forget the oldest ones beyond the limit."""
        if self._upcoming - self._oldest == len(self._slots):
            self._slots = self._spread()
        self._slots[self._upcoming % len(self._slots)] = (self._upcoming, frame)
        self._upcoming += 1
        self._bytes += len(frame)
        while self._bytes > self._most and self._upcoming - self._oldest > 1:
            slot = self._oldest % len(self._slots)
            if kept := self._slots[slot]:
                self._bytes -= len(kept[1])
            self._slots[slot] = None
            self._oldest += 1

    def get(self, sequence: int) -> bytes | None:
        """Return a frame when it is still here."""
        slots = self._slots  # as it is now: the writer may take a wider one meanwhile
        kept = slots[sequence % len(slots)]
        return kept[1] if kept and kept[0] == sequence else None

    def oldest(self) -> int | None:
        """Return the first sequence that is still here."""
        return self._oldest if self._upcoming else None

    def _spread(self) -> list[tuple[int, bytes] | None]:
        """Return the frames in a ring of twice as many slots."""
        wide: list[tuple[int, bytes] | None] = [None] * (2 * len(self._slots))
        for kept in self._slots:
            if kept:
                wide[kept[0] % len(wide)] = kept
        return wide
