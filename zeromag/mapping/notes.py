"""What must be said of a rhythm beside its numbers: that no heart beat for a while, or that it beats irregularly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from zeromag.mapping.beat import Beat

ASYSTOLE = 10.0  # s without a beat that are said
IRREGULAR = 0.10  # median change from one RR to the next, over the median RR, from which a rhythm is called irregular
FEWEST = 8  # RR intervals to call it so


def pauses(
    beats: Sequence[Beat], first: int, stop: int, rate: float, gaps: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int]]:
    """Return (first sample, samples) of every stretch of 10 s or more without a beat, gaps (sample, samples) apart.

    A gap divides: nobody knows what beat in it.
    """
    edges = [first, *sorted(round(beat.sample) for beat in beats), stop]
    found: list[tuple[int, int]] = []
    for begin, end in pairwise(edges):
        inside = [(at, at + n) for at, n in gaps if at < end and at + n > begin]
        for low, high in zip([begin, *(b for _, b in inside)], [*(a for a, _ in inside), end], strict=True):
            if high - low >= ASYSTOLE * rate:
                found.append((low, high - low))
    return found


def irregular(beats: Sequence[Beat]) -> str:
    """Return one sentence when the RR changes from beat to beat as in atrial fibrillation; empty when it does not.

    By the median change between neighbours, so that single early beats and a rate that drifts do not count.
    """
    rr = np.array([beat.rr for beat in beats])
    change = np.abs(np.diff(rr))
    change = change[np.isfinite(change)]
    told = rr[np.isfinite(rr)]
    if len(change) < FEWEST or not float(np.median(change)) > IRREGULAR * float(np.median(told)):
        return ""
    low, high = np.quantile(told, (0.05, 0.95)).tolist()
    return (
        f"the rhythm is irregular: RR mostly from {low:.2f} to {high:.2f} s; "
        "intervals and QTc are those of the averaged beat and the median RR"
    )


def notes(beats: Sequence[Beat], still: Sequence[tuple[int, int]], first: int, rate: float) -> tuple[str, ...]:
    """Return all that must be said of the rhythm, `still` being its pauses, in sentences."""
    said = [f"no heartbeat for {n / rate:.0f} s from {(at - first) / rate:.0f} s on" for at, n in still]
    return (*said, *([why] if (why := irregular(beats)) else []))


def silence(seconds: float) -> str:
    """Return one sentence on a stream that has had no beat for so long; empty below 10 s."""
    return f"no heartbeat for {seconds:.0f} s" if seconds >= ASYSTOLE else ""
