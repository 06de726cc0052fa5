"""The last window of samples of every channel, and what it says of each, worked out in small pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag._lanes import LANES, above_zero, if_nan, larger, load, size, smaller, splat, store
from zeromag.filters.ranked import ranked

ENOUGH = 250  # second differences of a channel that its noise is told from; of more, every so many
LEAST_JUMP_T = 1e-12  # steps below do no harm
ALONE = 5.0  # times the upper quartile of its kind at that sample: a step is one channel's, a beat is not
COMPANY = 4  # channels of a kind that can be compared
SHARED = 0.3  # a step that so many channels make at once is the room's, not theirs
PLATEAU = 5  # equal samples in a row at the edge of what a channel reads: it clips


@kernel
def _keep(x: F64, mask: BOOL, start: int, stop: int, rows: I64, ring: F64, at: int, railed: I64) -> None:
    """Write samples `start:stop` into the ring (sixteen channels, row, 16) from row `at` on, NaN where masked."""
    n, length = len(rows), ring.shape[1]
    together = n > 0 and rows[n - 1] - rows[0] == n - 1 and len(mask) == 0
    whole = n // LANES if together else 0
    for t in range(start, stop):
        place = (at + t - start) % length
        for g in range(whole):
            store(ring, (g * length + place) * LANES, load(x, t * x.shape[1] + rows[0] + g * LANES))
        for g in range(whole, len(ring)):
            to, low = ring[g, place], g * LANES
            for k in range(min(LANES, n - low)):
                column = rows[low + k]
                value = x[t, column]
                to[k] = value
                if len(mask) and mask[t, column]:
                    to[k] = np.nan
                    railed[low + k] += value - value == 0.0


@kernel
def _combed(ring: F64, g: int, row: int, comb: int) -> F64:
    """Return sixteen channels at one row less what they were a comb before."""
    length = ring.shape[1]
    return load(ring, (g * length + row % length) * LANES) - load(ring, (g * length + (row - comb) % length) * LANES)


@kernel
def _bends(ring: F64, g: int, row: int, comb: int) -> F64:
    """Return the sizes of second differences of sixteen channels at one row, the line combed out; NaN if unknown."""
    middle = _combed(ring, g, row - 1, comb)
    return size((_combed(ring, g, row, comb) - (middle + middle)) + _combed(ring, g, row - 2, comb))


@kernel
def _middles(sizes: F64, figures: F64, g: int) -> None:
    """Write the median size of second differences of each of sixteen channels, NaN if none is known."""
    window = len(sizes)
    every = max(1, window // ENOUGH)
    some = np.empty(window // every + 1)
    for c in range(LANES):
        count = 0
        for t in range(0, window, every):
            value = sizes[t, c]
            if value - value == 0.0:
                some[count] = value
                count += 1
        figures[3, g * LANES + c] = ranked(some, count, (count - 1) // 2) if count else np.nan


@kernel
def _channels(
    ring: F64, g: int, first: int, window: int, comb: int, limit: float, figures: F64, far: BOOL, marked: bool
) -> bool:
    """Write `figures` (there, lowest, highest, noise, longest plateau, largest second difference; channel) of sixteen.

    Steps far beyond a channel's noise are marked in `far` (sixteen channels, row, 16); return whether there are any.
    """
    length = ring.shape[1]
    sizes = np.empty((window, LANES))
    zero, one, width = splat(0.0), splat(1.0), figures.shape[1]
    there, lowest, highest, largest = zero, splat(np.inf), splat(-np.inf), zero
    new, old = first % length, (first - comb) % length
    before = _combed(ring, g, first - 1, comb)
    second = _combed(ring, g, first - 2, comb)
    for t in range(window):  # as `_bends`, with what it was before kept
        value = load(ring, (g * length + new) * LANES)
        now = value - load(ring, (g * length + old) * LANES)
        bend = size((now - (before + before)) + second)
        second, before = before, now
        new, old = new + 1 if new + 1 < length else 0, old + 1 if old + 1 < length else 0
        store(sizes, t * LANES, bend)
        largest = larger(bend, largest)
        there = there + if_nan(value - value + one, zero)
        lowest, highest = smaller(value, lowest), larger(value, highest)
    _middles(sizes, figures, g)
    noise = load(figures, 3 * width + g * LANES)
    bar = above_zero(noise, larger(splat(limit) * noise, splat(LEAST_JUMP_T)), splat(np.inf))
    hits, at_low, at_high, longest = zero, zero, zero, zero
    new = first % length
    for t in range(window):
        hits = hits + above_zero(load(sizes, t * LANES) - bar, one, zero)
        value = load(ring, (g * length + new) * LANES)
        new = new + 1 if new + 1 < length else 0
        at_low = above_zero(if_nan(size(value - lowest), one), zero, at_low + one)  # equal samples in a row at an edge
        at_high = above_zero(if_nan(size(value - highest), one), zero, at_high + one)
        longest = larger(larger(at_low, at_high), longest)
    place = g * LANES
    for k, figure in ((0, there), (1, lowest), (2, highest), (4, longest), (5, largest)):
        store(figures, k * width + place, figure)
    return _marked(sizes, bar, hits, far[g], marked)


@kernel
def _marked(sizes: F64, bar: F64, hits: F64, far: BOOL, marked: bool) -> bool:
    """Mark the second differences beyond the bar, if there are any; return whether there are.

    `marked`: there may be marks of the window before, which go.
    """
    counted, bars = np.empty(LANES), np.empty(LANES)
    store(counted, 0, hits)
    store(bars, 0, bar)
    found = False
    for c in range(LANES):
        found |= counted[c] > 0.0
    for t in range(len(sizes) if found or marked else 0):
        for c in range(LANES):
            far[t, c] = found and sizes[t, c] > bars[c]
    return found


@kernel
def _company_limit(bends: F64, kinds: BOOL, fit: BOOL, kind: bool) -> float:
    """Return how far a second difference may go in the company of its kind; too few fit channels are not judged.

    At 250 Hz a QRS bends by more than a dozen times the noise between samples, but not in one channel alone.
    """
    some, count = np.empty(len(kinds)), 0
    for k in range(len(kinds)):
        if fit[k] and kinds[k] == kind:
            some[count] = bends[k] if bends[k] - bends[k] == 0.0 else 0.0
            count += 1
    if count < COMPANY:
        return np.inf
    place = 0.75 * (count - 1)
    whole = int(place)
    at = ranked(some, count, whole)
    above = some[whole + 1]
    for k in range(whole + 2, count):
        above = min(above, some[k])
    return float(ALONE * (at + (place - whole) * (above - at)))


@kernel
def _company(ring: F64, first: int, comb: int, kinds: BOOL, fit: BOOL, far: BOOL, any_far: BOOL) -> None:
    """Take back the steps that a channel's kind makes with it."""
    n = len(kinds)
    bends = np.empty(len(ring) * LANES)
    for t in range(far.shape[1] if np.any(any_far) else 0):
        steps = 0
        for g in range(len(ring)):
            if any_far[g]:
                for c in range(LANES):
                    steps += far[g, t, c]
        if steps == 0:
            continue
        for g in range(len(ring)):
            store(bends, g * LANES, _bends(ring, g, first + t, comb))
        limits = (_company_limit(bends, kinds, fit, False), _company_limit(bends, kinds, fit, True))
        steps = 0
        for k in range(n):
            alone = far[k // LANES, t, k % LANES] and bends[k] > limits[int(kinds[k])]
            far[k // LANES, t, k % LANES] = alone
            steps += alone
        if steps > max(1.0, SHARED * n):  # the room's step, not theirs
            far[:, t, :] = False


@kernel
def _steps(far: BOOL, any_far: BOOL, comb: int, steps: I64) -> None:
    """Count the steps of each channel; one shows again, turned round, when it leaves the comb: the way in counts."""
    steps[:] = 0
    for k in range(len(steps)):
        if not any_far[k // LANES]:
            continue
        mine = far[k // LANES, :, k % LANES]
        for t in range(len(mine)):
            back = t - comb
            echo = back >= 0 and mine[back] and not (back > 0 and mine[back - 1])
            steps[k] += mine[t] and not (t > 0 and mine[t - 1]) and not echo


class Window:
    """Two windows in a ring: one that fills, and the whole one before it, which is looked into meanwhile.

    Attributes
    ----------
    there, lowest, highest, noise, plateau, largest : (n_channels,)
        Samples not hidden, range, median and largest size of a second difference, longest run at an edge.
    steps, railed : (n_channels,)
        How often a channel steps alone; samples that were hidden though finite.
    """

    def __init__(self, channels: NDArray[np.int64], is_mag: NDArray[np.bool_], size: int, comb: int) -> None:
        n = len(channels)
        self.size, self._comb, self._channels, self._kinds = size, comb, channels, is_mag
        self._groups = -(-n // LANES)
        self._ring = np.full((self._groups, 2 * size + comb + 2, LANES), np.nan)
        self._filled = 0  # rows written since the beginning
        self._counting = np.zeros(n, dtype=np.int64)
        self.railed, self.steps = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self._figures = np.zeros((6, self._groups * LANES))
        self.there, self.lowest, self.highest, self.noise, self.plateau, self.largest = self._figures[:, :n]
        self._far = np.zeros((self._groups, size, LANES), dtype=np.bool_)
        self._any_far = np.zeros(self._groups, dtype=np.bool_)
        self.pieces = self._groups + 1

    def take(self, x: NDArray[np.float64], mask: NDArray[np.bool_], start: int, stop: int) -> None:
        """Keep samples `start:stop` of a block, those masked as missing."""
        at = (self._filled + self._comb + 2) % self._ring.shape[1]
        _keep(x, mask, start, stop, self._channels, self._ring, at, self._counting)
        self._filled += stop - start
        if self._filled % self.size == 0:
            self.railed[:] = self._counting
            self._counting[:] = 0

    def due(self, share: float) -> int:
        """Return how many pieces are to be done when this share of the time for them is over."""
        # all but the channels is little work
        return self.pieces if share >= 1.0 else int(self._groups * min(1.0, share / 0.9))

    def work(self, piece: int, fit: NDArray[np.bool_], jump: float) -> None:
        """Do one of `pieces` on the whole window; all of them in order make the figures."""
        first = self._filled // self.size * self.size - self.size + self._comb + 2
        ring, comb, far = self._ring, self._comb, self._far
        if piece < self._groups:
            marked = bool(self._any_far[piece])
            found = _channels(ring, piece, first, self.size, comb, jump, self._figures, far, marked)
            self._any_far[piece] = found
            return
        _company(ring, first, comb, self._kinds, fit, far, self._any_far)
        _steps(far, self._any_far, comb, self.steps)
