"""Where channels stand on the slow: their means over half a second each, and what the newest of them agree on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.operate import summed

PIECE_S = 0.5
KEPT = 40  # pieces: 20 s
SPOILT_S = 0.6  # `MaskBad` takes so long to find a channel bad: what it said since does not count
MEANS, LINES = (4, 8, 16, 40), (4, 8, 16, 24, 40)  # pieces that a look back takes
SHORTEST = 4
PLAIN = 8  # pieces of the line that all others must agree with
AGREE = 4.0  # times its squared error
DOUBT = 2.0  # times what chance alone leaves out
CHANCE = 0.455  # median of the square of a normal number


class Levels:
    """The means of every channel over the newest pieces of half a second, at fixed places in the stream."""

    def __init__(self, head: Block) -> None:
        n = len(head.sensors)
        self._origin, self._rate = head.first, head.rate
        self._every = max(1, round(PIECE_S * head.rate))
        self._means: deque[NDArray[np.float64]] = deque(maxlen=KEPT)
        self.total, self.count = np.zeros((2, n)), np.zeros((2, n))  # of the piece that runs: good samples, bad ones
        self._end = head.first  # of the newest piece

    def due(self, sample: int) -> int:
        """Return how many samples there are from this one to the end of its piece."""
        return self._every - (sample - self._origin) % self._every

    def edges(self, first: int, length: int) -> range:
        """Return where pieces end within `length` samples from `first` on, counted from there."""
        return range(-(first - self._origin) % self._every, length, self._every)

    def take(self, x: NDArray[np.float64], start: int, stop: int, bad: NDArray[np.bool_]) -> None:
        """Add samples `start:stop` of a block, in which these channels are bad."""
        summed(x, start, stop, bad, self.total, self.count)

    def reach(self, sample: int) -> None:
        """Close the piece that ends here, if one does; a channel without a good sample counts as it was."""
        if (sample - self._origin) % self._every == 0:
            self._means.append(self._running())
            self._end = sample
            self.total[:], self.count[:] = 0.0, 0.0

    def _running(self) -> NDArray[np.float64]:
        """Return the means of the piece so far; 0 where a channel has said nothing yet."""
        which = np.where(self.count[0] > 0, 0, 1), np.arange(self.count.shape[1])
        total, count = self.total[which], self.count[which]
        before = self._means[-1] if self._means else np.zeros(len(total))
        running: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1.0), before)
        return running

    def lately(self) -> NDArray[np.float64]:
        """Return the mean of a second, half a second ago: (n_channels,) T."""
        means = list(self._means)
        newest: NDArray[np.float64] = np.mean(means[-3:-1] or means or [self._running()], axis=0)
        return newest

    def of(
        self,
        combined: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        sample: int,
        rows: NDArray[np.bool_],
        *,
        failing: bool,
    ) -> NDArray[np.float64]:
        """Return where combinations of channels stand at a sample, had they gone on as they did: (n_channels,) T.

        `combined` is linear: levels (n_channels, n) to combinations (n_channels, n); those in `rows` are looked at.
        While a channel is `failing`, the newest 0.6 s do not count.
        """
        spoilt = -(-(self._end - sample + round(SPOILT_S * self._rate)) // self._every) if failing else 0
        pieces = list(self._means)[: len(self._means) - max(0, spoilt)] or list(self._means)[:1] or [self._running()]
        newest = (sample - self._end) / self._every + 0.5 + max(0, spoilt)  # its middle is so many pieces ago
        return agreed(combined(np.array(pieces).T), newest, rows)


def agreed(series: NDArray[np.float64], newest: float, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return where series of means (n, pieces) stand `newest` pieces behind the last one: (n,).

    Means and lines over more or fewer pieces, carried on to now. Each errs by chance and by what it leaves out: the
    next polynomial's share at that moment, as the same pieces show it. Of those that agree with the line over 4 s
    the one that errs least counts: what stands still is known by 20 s, what drifts by a line while it is straight.
    """
    count = series.shape[1]
    if count < SHORTEST:
        return np.asarray(series.mean(axis=1))
    bends = (np.diff(series[rows], 2, axis=1) ** 2).sum(axis=0) / 6  # of three means: their variance, drift aside
    scatter = float(np.median(bends)) / CHANCE
    looks = [
        _look(series[:, count - size :], order, newest, rows, scatter)
        for order, sizes in enumerate((MEANS, LINES))
        for size in sizes
        if size <= count
    ]
    plain = _look(series[:, -PLAIN:], 1, newest, rows, scatter)
    near = [one for one in looks if float(((one[1] - plain[1])[rows] ** 2).sum()) <= AGREE * plain[0]]
    return min([plain, *near], key=lambda look: look[0])[1]


def _look(
    part: NDArray[np.float64], order: int, newest: float, rows: NDArray[np.bool_], scatter: float
) -> tuple[float, NDArray[np.float64]]:
    """Return how far a mean (order 0) or line (1) over pieces errs when it is carried on, squared, and what it says."""
    time = np.arange(part.shape[1]) - (part.shape[1] - 1.0)
    basis, scale = np.linalg.qr(np.vander(time, order + 2, increasing=True))
    now = np.linalg.solve(scale.T, newest ** np.arange(order + 2.0))  # each orthogonal polynomial at that moment
    shares = part @ basis
    said = shares[:, : order + 1] @ now[: order + 1]
    left_out = float((shares[rows, order + 1] ** 2).sum())
    chance = scatter * float(now[: order + 1] @ now[: order + 1])
    return chance + max(0.0, left_out - DOUBT * scatter) * float(now[order + 1]) ** 2, said
