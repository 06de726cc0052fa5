"""One heartbeat as the detector found it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat in the stream; `why` is empty when it counts for its class's average."""

    sample: float  # R in stream samples, sub-sample
    kind: str = "normal"  # class: `normal`, `ectopic`, …
    why: str = ""  # the reason it was left out of the average
    rr: float = float("nan")  # s since the beat before; NaN after a gap
    correlation: float = float("nan")  # with its class's template

    @property
    def mothers(self) -> bool:
        """Whether it is of the mother of the heart that the scan is about."""
        return self.kind.startswith("mother")


def own(beats: Iterable[Beat]) -> list[Beat]:
    """Return the beats of the heart that the scan is about, without its mother's."""
    return [beat for beat in beats if not beat.mothers]
