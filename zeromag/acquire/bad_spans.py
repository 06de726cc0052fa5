"""The stretches of a mask, so that other formats can say them as annotations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BadSpan:
    """Samples that must not be used, of some channels or of all."""

    first: int  # index in the stream
    samples: int
    columns: tuple[int, ...]  # empty: every channel


def bad_spans(masks: Iterable[tuple[int, NDArray[np.bool_]]]) -> list[BadSpan]:
    """Return the stretches of consecutive `(first sample, mask (n_samples, n_channels))`, in order."""
    since: dict[int, int] = {}  # column: where its open stretch began
    found: dict[tuple[int, int], list[int]] = {}
    at, width = 0, 0

    def close(columns: Iterable[int], stop: int) -> None:
        for column in columns:
            found.setdefault((since.pop(column), stop), []).append(column)

    for first, mask in masks:
        if first != at:
            close(list(since), at)
        width = mask.shape[1]
        turns = np.flatnonzero(np.any(mask[1:] != mask[:-1], axis=1)) + 1
        for row in (0, *turns.tolist()):
            bad = set(np.flatnonzero(mask[row]).tolist())
            close(sorted(set(since) - bad), first + row)
            since |= dict.fromkeys(sorted(bad - set(since)), first + row)
        at = first + len(mask)
    close(sorted(since), at)
    return [
        BadSpan(first, stop - first, () if len(columns) == width else tuple(sorted(columns)))
        for (first, stop), columns in sorted(found.items())
    ]
