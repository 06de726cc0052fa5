"""The map's colours: CET-D1A, blue into the chest, red out of it, safe for the colour-blind."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

# Seventeen points of CET-D1A (Kovesi 2015, "Good colour maps: how to design them", arXiv:1509.03700; CC BY),
# straight lines between them stay within 6/255 of the published table.
_POINTS = [
    *("172972", "1d3ba1", "294ecf", "5265e6", "787df4", "9998fc", "b9b4fa", "d5d1f6", "efe3e7"),
    *("facac0", "fda593", "f87f69", "e95b46", "d43628", "b90710", "8f0309", "660702"),
]


@cache
def diverging() -> NDArray[np.uint8]:
    """Return the colours from most negative to most positive: (256, 3) red, green, blue."""
    points = np.array([[int(text[k : k + 2], 16) for k in (0, 2, 4)] for text in _POINTS])
    at = np.linspace(0, len(points) - 1, 256)
    table = np.stack([np.interp(at, np.arange(len(points)), points[:, k]) for k in range(3)], axis=1)
    colours: NDArray[np.uint8] = np.rint(table).astype(np.uint8)
    colours.setflags(write=False)
    return colours


def colour_indices(values: NDArray[np.floating], limit: float) -> NDArray[np.uint8]:
    """Return the colour's index of every value on the symmetric scale ±`limit` (same unit); NaN gives the middle."""
    if not limit > 0:
        raise ValueError(f"a colour scale must reach above 0, got {limit}")
    scaled = np.nan_to_num(np.asarray(values) * (127.5 / limit) + 127.5, nan=127.5)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def opacity(deviation: NDArray[np.floating], limit: float, seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return how opaque each value is drawn, 0 to 255: the less certain it is, the fainter.

    Down to a quarter at a deviation of half the scale ±`limit` (same unit); nothing where it is not `seen`.
    """
    doubt = np.clip(np.nan_to_num(deviation, nan=np.inf) / (0.5 * limit), 0.0, 1.0)
    return np.where(seen, np.rint(255 * (1 - 0.75 * doubt)), 0).astype(np.uint8)


def on_screen(values: NDArray[T]) -> NDArray[T]:
    """Return a map as rows of a picture from the top: head up, and since the viewer faces the patient, x grows right.

    A `Grid` has y ascending to the head and x to the patient's left; only the rows turn round.
    """
    return values[..., ::-1, :]
