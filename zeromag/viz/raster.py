"""Traces drawn straight into pixels: every column gets the span the samples cover there, edges softened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import F64, kernel

U32 = NDArray[np.uint32]
EVERYTHING = -(2**62)  # as `since`: draw all columns


@kernel
def _mix(under: int, over: int, share: float) -> int:
    """Return `over` laid on `under` with this share; both 0xAARRGGBB with the alpha multiplied in."""
    out = 0
    for shift in (0, 8, 16, 24):
        low = (under >> shift) & 0xFF
        high = (over >> shift) & 0xFF
        out |= int(low + (high - low) * share + 0.5) << shift
    return out


@kernel
def _spans(rows: F64, c: int, low: float, high: float, first: float) -> tuple[float, float]:
    """Return least and largest value of the line through column `c` between samples `low` and `high`."""
    least, largest = np.inf, -np.inf
    last = rows.shape[0] - 1
    a, b = low - first, high - first
    for edge in (a, b):
        if 0 <= edge <= last:
            t = int(edge)
            value = rows[t, c]
            if t < last:
                value += (edge - t) * (rows[t + 1, c] - rows[t, c])
            if not np.isnan(value):
                least, largest = min(least, value), max(largest, value)
    for t in range(max(0, int(np.ceil(a))), min(last, int(np.floor(b))) + 1):
        value = rows[t, c]
        if not np.isnan(value):
            least, largest = min(least, value), max(largest, value)
    return least, largest


@kernel
def draw_traces(
    image: U32,
    rows: F64,
    first: int,
    per_pixel: float,
    sweep: bool,
    erase: int,
    middle: F64,
    zero: F64,
    gain: float,
    half: float,
    colours: U32,
    ground: int,
    since: int,
) -> None:
    """Draw every trace of `rows` into `image` (height, width) 0xAARRGGBB, alpha multiplied in.

    `rows` are (n_samples, n_traces) T, the newest last; `first` the stream index of the first; `per_pixel`
    samples per pixel. `middle` is the pixel row of a trace's `zero` (T), `gain` pixels per T, `half` the
    line's half width in pixels. `sweep`: a sample's column depends on its index alone and the newest
    `erase` columns after it are emptied to `ground`; else the newest sample is at the right edge. Columns that
    show pixels of the stream before `since` (stream index over `per_pixel`) stay as they are.
    """
    height, width = image.shape
    newest = int((first + rows.shape[0] - 1) / per_pixel)
    for column in range(width):
        at = newest - (newest - column) % width if sweep else newest - (width - 1 - column)
        if newest - at >= width - erase:
            image[:, column] = ground
            continue
        low = at * per_pixel
        if at < since:
            continue
        image[:, column] = ground
        if low + per_pixel <= first:
            continue
        for c in range(rows.shape[1]):
            least, largest = _spans(rows, c, low, low + per_pixel, first)
            if least > largest:
                continue
            top = middle[c] - (largest - zero[c]) * gain - half
            bottom = middle[c] - (least - zero[c]) * gain + half
            begin, end = max(0, int(np.floor(top))), min(height - 1, int(np.floor(bottom)))
            for y in range(begin, end + 1):
                share = min(bottom, y + 1.0) - max(top, float(y))
                image[y, column] = _mix(image[y, column], colours[c], max(0.0, min(1.0, share)))


def warm() -> None:
    """Compile what draws (once a machine), or load it, so that no picture waits for that."""
    one, pixels = np.zeros(1), np.zeros((1, 1), dtype=np.uint32)
    draw_traces(pixels, np.zeros((2, 1)), 0, 1.0, True, 0, one, one, 1.0, 1.0, pixels[0], 0, EVERYTHING)
