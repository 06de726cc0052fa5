"""The picture of the running traces, of which only what is new is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.viz.feed import Stream
from zeromag.viz.raster import EVERYTHING, draw_traces

ERASE = 12  # px left empty ahead of the newest sample
HALF = 0.65  # px, of the line's width


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that the picture depends on besides the samples."""

    width: int  # px
    height: int  # px
    columns: tuple[int, ...]  # of the stream
    colours: tuple[int, ...]  # pixels, one a column
    ground: int  # pixel
    per_pixel: float  # samples
    gain: float  # px per T
    zero: tuple[float, ...]  # T at each trace's middle
    butterfly: bool
    sweep: bool
    ratio: float = 1.0  # pixels of the screen per pixel of the layout


class Strip:
    """Keeps the pixels; a new look or stream draws them all anew, and so does scrolling."""

    def __init__(self) -> None:
        self.pixels: NDArray[np.uint32] = np.zeros((1, 1), dtype=np.uint32)
        self._look: Look | None = None
        self._stream: Stream | None = None
        self._newest = EVERYTHING  # pixel of the stream drawn last; half of its samples may have been missing

    def draw(self, stream: Stream, look: Look) -> NDArray[np.uint32]:
        """Return the pixels (height, width) up to the newest sample."""
        fresh = look != self._look or stream is not self._stream or not look.sweep
        if fresh:
            self._look, self._stream, self._newest = look, stream, EVERYTHING
            self.pixels = np.full((look.height, look.width), look.ground, dtype=np.uint32)
        newest = int((stream.values.stop - 1) / look.per_pixel)
        pixels = min(look.width, newest - self._newest + 1)
        rows, first = stream.values.newest(int(pixels * look.per_pixel) + 3, columns=look.columns)
        count = len(look.columns)
        pitch = look.height / (1 if look.butterfly else count)
        middle = np.array([((0 if look.butterfly else k) + 0.5) * pitch for k in range(count)])
        draw_traces(
            self.pixels, rows, first, look.per_pixel, look.sweep,
            int(ERASE * look.ratio), middle, np.array(look.zero), look.gain, HALF * look.ratio,
            np.array(look.colours, dtype=np.uint32), look.ground, self._newest,
        )  # fmt: skip
        self._newest = newest
        return self.pixels
