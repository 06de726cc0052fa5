"""The window's hand on the acquisition: orders off the painting thread, their answers as sentences, and undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from zeromag.errors import ZeromagError
from zeromag.session import dotted, session_from

Order = Callable[[], str]  # carries something out and returns what to say


class Hand(Protocol):
    """What `acquire.control.Control` offers: each call waits until it took effect, or raises a ZeromagError."""

    def mark(self, text: str) -> int:
        """Note words at the sample that is taken now."""
        ...

    def start_recording(self, folder: str = "") -> str:
        """Keep the stream from now on; return the journal."""
        ...

    def stop_recording(self) -> str:
        """Keep nothing more; return the journal."""
        ...

    def change(self, settings: Mapping[str, object]) -> int:
        """Change settings from the next block on; return its first sample."""
        ...


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes the last order back, and how that is called."""

    words: str
    order: Order


class Acquisition:
    """Gives one order after the other; `tick` takes the answers on the window's own thread."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="zeromag orders")
        self._waiting: list[Future[str]] = []
        self._undo: list[Undo] = []
        self.said = ""  # the last answer, for people
        self.failed = False  # whether that is bad news
        self.journal = ""  # of the recording that was begun or ended last

    @property
    def busy(self) -> bool:
        """Whether an order is under way."""
        return bool(self._waiting)

    @property
    def undo_words(self) -> str:
        """What `undo` would do; empty: nothing."""
        return self._undo[-1].words if self._undo else ""

    def mark(self, text: str) -> None:
        """Note words at this moment."""

        def order() -> str:
            sample = self._hand.mark(text)
            self._undo.append(Undo(f"withdraw the mark “{text}”", lambda: self._withdraw(text)))
            return f"marked “{text}” at sample {sample}"

        self._give(order)

    def record(self, folder: str = "") -> None:
        """Begin to record."""

        def order() -> str:
            self.journal = self._hand.start_recording(folder)
            return f"recording into {self.journal}"

        self._give(order)

    def stop(self, note: str = "") -> None:
        """End the recording, a note as its last mark; what was recorded is kept."""

        def order() -> str:
            if note:
                self._hand.mark(note)
            self.journal = self._hand.stop_recording()
            self._undo.append(Undo("record on, into another file", self._record_on))
            return f"stopped; all of it is kept in {self.journal}"

        self._give(order)

    def change(self, settings: Mapping[str, object], session: Mapping[str, Any]) -> None:
        """Change settings by their dotted keys; `session` is what holds now, for undo."""
        known = dotted(session_from(dict(session)).as_dict())
        before = {key: known[key] for key in settings if key in known}

        def order() -> str:
            sample = self._hand.change(settings)
            self._undo.append(Undo(f"set {_words(before)} again", lambda: self._change_back(before)))
            return f"{_words(settings)} from sample {sample} on"

        self._give(order)

    def undo(self) -> None:
        """Take the last order back, as far as that can be: what was recorded stays, marks are withdrawn by a mark."""
        if self._undo:
            self._give(self._undo.pop().order)

    def tick(self) -> bool:
        """Take the answers that have come; return whether there were any."""
        done = [answer for answer in self._waiting if answer.done()]
        for answer in done:
            self._waiting.remove(answer)
            try:
                self.said, self.failed = answer.result(), False
            except ZeromagError as error:
                self.said, self.failed = str(error), True
        return bool(done)

    def close(self, note: str = "") -> None:
        """Give no more orders; those under way are carried out, and the note is left as a mark."""
        if note:
            self.mark(note)
        self._worker.shutdown(wait=True)

    def _give(self, order: Order) -> None:
        self._waiting.append(self._worker.submit(order))

    def _withdraw(self, text: str) -> str:
        self._hand.mark(f"withdrawn: {text}"[:200])
        return f"the mark “{text}” is withdrawn"

    def _record_on(self) -> str:
        self.journal = self._hand.start_recording()
        return f"recording on, into {self.journal}"

    def _change_back(self, before: Mapping[str, object]) -> str:
        sample = self._hand.change(before)
        return f"{_words(before)} again from sample {sample} on"


def _words(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key} = {value if value != '' else '(empty)'}" for key, value in settings.items())
