"""Mains: follows the line and its harmonics, and subtracts them; no notch, so nothing rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, compiled, kernel
from zeromag._lanes import LANES, above_zero, fma, if_nan, larger, load, size, smaller, splat, store
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.line import FRAME_S, Line, acquire
from zeromag.filters.packed import packed, unpacked
from zeromag.filters.sos import FILTERED
from zeromag.stage import Step

ACQUIRE_S = 0.5  # the stream is watched this long before anything is subtracted
REPORT_S = (2.0, 10.0)  # the first report, and the time between reports
NOMINAL = (50.0, 60.0)  # Hz, what there is when nothing is said
AT_ONCE = 32  # samples
MOST = 8  # harmonics followed unless more are asked for


class Seen(NamedTuple):
    """What the kernel reads and gathers; arrays are as wide as whole lanes (`width`)."""

    model: F64  # (harmonics, 2, width) T, along cos and sin of each harmonic's phase
    sums: F64  # the same of the first differences since the frame began
    last: F64  # (width,) T, the sample before; NaN: none
    clip: F64  # (width,) T, largest first difference that is believed
    size: F64  # (width,) T, sum of their sizes
    known: F64  # (width,) how many there were


@dataclass(frozen=True, slots=True)
class Mains:
    """Subtracts the line, tracked in frequency, phase and amplitude, from every magnetic and ECG channel.

    One phase-locked loop follows the line for the whole array; each channel and harmonic has a slow amplitude in
    that rotating frame. Both learn from first differences clipped at five times their usual size, so that neither
    a step of the field nor a QRS moves them. `line` None finds out whether it is 50 or 60 Hz; `harmonics` None
    takes all below 0.45 of the rate, at most eight. The frequency is reported as events `mains`.
    """

    line: float | None = None  # Hz, nominal
    harmonics: int | None = None

    def __post_init__(self) -> None:
        if self.line is not None and not self.line > 0:
            raise ValueError(f"the mains frequency must be above 0 Hz, got {self.line}")
        if self.harmonics is not None and self.harmonics < 1:
            raise ValueError(f"mains has at least 1 harmonic, got {self.harmonics}")

    def start(self, head: Block) -> Step:
        """Return the running tracker.

        Raises
        ------
        ValueError
            If the line, or the highest harmonic asked for, does not lie below half the rate.
        """
        nominal = NOMINAL if self.line is None else (self.line,)
        highest = max(nominal) * (self.harmonics or 1)
        if not highest < head.rate / 2:
            raise ValueError(f"mains at {highest:g} Hz cannot be seen at {head.rate:g} Hz; it needs twice as much")
        return _Tracker(nominal, self.harmonics, head)


@kernel
def _turns(phase: float, advance: float, place: int, turns: F64) -> None:
    """Write cos and sin of each harmonic's phase at samples from `place` in the frame on: (sample, harmonic, 2)."""
    for t in range(turns.shape[0]):
        angle = phase + advance * (place + t)  # from the frame's start, so that a cut changes no bit
        cos1, sin1 = np.cos(angle), np.sin(angle)
        cos, sin = 1.0, 0.0
        for k in range(turns.shape[1]):
            cos, sin = cos * cos1 - sin * sin1, sin * cos1 + cos * sin1
            turns[t, k, 0], turns[t, k, 1] = cos, sin


@kernel
def _sixteen(rows: F64, trust: F64, c: int, turns: F64, seen: Seen, model: F64, left: F64) -> None:
    """Do it for the sixteen channels from `c` on; `left` (sample, 16) and `model` stay in the fastest cache.

    There is where their rows of the model are copied to: those of 1,024 channels are 8 KiB apart.
    """
    samples, harmonics, _ = turns.shape
    width, zero, one, clip = rows.shape[1], splat(0.0), splat(1.0), load(seen.clip, c)
    for k in range(2 * harmonics):
        store(model, k * LANES, load(seen.model, k * width + c))
    for t in range(samples):
        value = load(rows, t * width + c)
        for k in range(harmonics):
            value = fma(load(model, 2 * k * LANES), splat(-turns[t, k, 0]), value)
            value = fma(load(model, (2 * k + 1) * LANES), splat(-turns[t, k, 1]), value)
        store(rows, t * width + c, value)
        store(left, t * LANES, value)
    last, size_, count = load(seen.last, c), load(seen.size, c), load(seen.known, c)
    for t in range(samples):
        value = above_zero(load(trust, t * width + c), load(left, t * LANES), splat(np.nan))
        step = value - last
        last = value
        known = if_nan(step - step + one, zero)
        step = above_zero(known, smaller(larger(step, zero - clip), clip), zero)
        size_, count = size_ + size(step), count + known
        store(left, t * LANES, step)
    store(seen.last, c, last)
    store(seen.size, c, size_)
    store(seen.known, c, count)
    for k in range(harmonics):
        place = 2 * k * width + c
        cos, sin = load(seen.sums, place), load(seen.sums, place + width)
        for t in range(samples):
            step = load(left, t * LANES)
            cos, sin = fma(step, splat(turns[t, k, 0]), cos), fma(step, splat(turns[t, k, 1]), sin)
        store(seen.sums, place, cos)
        store(seen.sums, place + width, sin)


@kernel
def _subtract(
    x: F64,
    bad: BOOL,
    start: int,
    stop: int,
    columns: I64,
    phase: float,
    advance: float,
    place: int,
    seen: Seen,
    out: F64,
) -> None:
    """Subtract the model of the line and gather what is left of it in first differences."""
    width = seen.model.shape[2]
    for begin in range(start, stop, AT_ONCE):
        end = min(stop, begin + AT_ONCE)
        rows, trust = np.zeros((end - begin, width)), np.zeros((end - begin, width))
        turns, left = np.empty((end - begin, seen.model.shape[0], 2)), np.empty((end - begin, LANES))
        model = np.empty((2 * seen.model.shape[0], LANES))
        _turns(phase, advance, place + begin - start, turns)
        packed(x, bad, begin, end, columns, rows, trust)
        for c in range(0, width, LANES):
            _sixteen(rows, trust, c, turns, seen, model, left)
        unpacked(rows, begin, columns, out)


class _Tracker:
    """Watches for half a second, then subtracts, frame by frame at fixed sample indices."""

    def __init__(self, nominal: tuple[float, ...], harmonics: int | None, head: Block) -> None:
        self._nominal = nominal
        self._harmonics = harmonics
        self._rate = head.rate
        self._origin = head.first
        self._columns = head.sensors.of_kind(*FILTERED)
        guides = head.sensors.of_kind("mag", "ref")
        self._n = n = len(self._columns)
        width = -(-n // LANES) * LANES
        self._guide = np.zeros(width, dtype=np.bool_)
        self._guide[:n] = np.isin(self._columns, guides) if len(guides) else True
        self._frame = max(8, round(FRAME_S * head.rate))
        self._watched = np.full((max(16, round(ACQUIRE_S * head.rate)), width), np.nan)
        self._line: Line | None = None
        self._seen = self._fresh(np.zeros((1, 2, width)), np.zeros(width))
        # half a second into the stream both would stall it
        Line(
            nominal[0], nominal[0], head.rate, 0.0, self._seen.model.copy(), self._seen.clip.copy(), self._guide
        ).learn(self._seen.sums, self._seen.size, self._seen.known, self._frame)
        self._subtract = compiled(
            _subtract, head.data, bad_samples(head), 0, 0, self._columns, 0.0, 0.0, 0, self._seen, head.data.copy()
        )

    def _fresh(self, model: NDArray[np.float64], clip: NDArray[np.float64]) -> Seen:
        """Return the arrays of a line that is just known."""
        width = len(clip)
        nothing = np.full(width, np.nan)
        return Seen(model, np.zeros_like(model), nothing, clip, np.zeros(width), np.zeros(width))

    def __call__(self, block: Block) -> Block:
        if len(self._columns) == 0:
            return block
        out = block.data.copy()
        bad = bad_samples(block)
        events: list[Event] = []
        at = 0
        while at < len(block):
            now = block.first + at - self._origin
            if now < len(self._watched):
                stop = min(len(block), at + len(self._watched) - now)
                self._watch(block, bad, at, stop, now)
            else:
                place = (now - len(self._watched)) % self._frame
                stop = min(len(block), at + self._frame - place)
                self._track(block, bad, out, at=at, stop=stop, place=place)
                if place + stop - at == self._frame:
                    events += self._turn(block.first + stop - 1)
            at = stop
        return block.with_data(out, events=tuple(events))

    def _watch(self, block: Block, bad: NDArray[np.bool_], at: int, stop: int, now: int) -> None:
        """Keep samples until there are enough to find the line in."""
        part = block.data[at:stop, self._columns]
        part[bad[at:stop, self._columns]] = np.nan
        self._watched[now : now + stop - at, : self._n] = part
        if now + stop - at == len(self._watched):
            self._line = acquire(self._watched, self._rate, self._nominal, self._count, self._guide)
            self._seen = self._fresh(self._line.model, self._line.clip)

    def _count(self, line: float) -> int:
        """Return how many harmonics to follow at this line frequency."""
        return self._harmonics or min(MOST, max(1, int(0.45 * self._rate / line)))

    def _track(
        self, block: Block, bad: NDArray[np.bool_], out: NDArray[np.float64], *, at: int, stop: int, place: int
    ) -> None:
        if (line := self._line) is None:
            return
        seen, columns = self._seen, self._columns
        self._subtract(block.data, bad, at, stop, columns, line.phase, line.advance, place, seen, out)

    def _turn(self, sample: int) -> list[Event]:
        """End a frame: let the line learn, and say its frequency when it is time."""
        if (line := self._line) is None:
            return []
        seen = self._seen
        line.learn(seen.sums, seen.size, seen.known, self._frame)
        seen.sums[:] = 0.0
        seen.size[:] = 0.0
        seen.known[:] = 0.0
        after = sample + 1 - self._origin
        first, every = (round(seconds * self._rate) for seconds in REPORT_S)
        before = after - self._frame
        due = before < first <= after or (after > first and (after - first) // every > (before - first) // every)
        return [Event(sample=sample, kind="mains", why=line.say())] if due else []
