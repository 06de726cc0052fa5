"""Mains: follows the line and its harmonics, and subtracts them; no notch, so nothing rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.line import FRAME_S, Line, acquire
from zeromag.filters.sos import FILTERED
from zeromag.stage import Step

ACQUIRE_S = 0.5  # the stream is watched this long before anything is subtracted
REPORT_S = (2.0, 10.0)  # the first report, and the time between reports
NOMINAL = (50.0, 60.0)  # Hz, what there is when nothing is said
MOST = 8  # harmonics followed unless more are asked for


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
def _subtract(
    x: F64,
    bad: BOOL,
    start: int,
    stop: int,
    columns: I64,
    phase: float,
    advance: float,
    place: int,
    model: F64,
    last: F64,
    clip: F64,
    sums: F64,
    size: F64,
    seen: F64,
    out: F64,
) -> None:
    """Subtract `model` (harmonic, cos and sin, column) and gather what is left of the line in first differences."""
    n_columns, harmonics = len(columns), model.shape[0]
    row = np.empty(n_columns)
    for t in range(start, stop):
        angle = phase + advance * (place + t - start)  # from the frame's start, so that a cut changes no bit
        cos1, sin1 = np.cos(angle), np.sin(angle)
        for c in range(n_columns):
            row[c] = x[t, columns[c]]
        cos, sin = 1.0, 0.0
        for k in range(harmonics):
            cos, sin = cos * cos1 - sin * sin1, sin * cos1 + cos * sin1
            for c in range(n_columns):
                row[c] -= model[k, 0, c] * cos + model[k, 1, c] * sin
        for c in range(n_columns):
            value = row[c]
            out[t, columns[c]] = value
            if bad[t, columns[c]]:
                value = np.nan
            step = value - last[c]
            last[c] = value
            if np.isfinite(step):
                step = min(max(step, -clip[c]), clip[c])
                size[c] += abs(step)
                seen[c] += 1.0
                row[c] = step
            else:
                row[c] = 0.0
        cos, sin = 1.0, 0.0
        for k in range(harmonics):
            cos, sin = cos * cos1 - sin * sin1, sin * cos1 + cos * sin1
            for c in range(n_columns):
                sums[k, 0, c] += row[c] * cos
                sums[k, 1, c] += row[c] * sin


class _Tracker:
    """Watches for half a second, then subtracts, frame by frame at fixed sample indices."""

    def __init__(self, nominal: tuple[float, ...], harmonics: int | None, head: Block) -> None:
        self._nominal = nominal
        self._harmonics = harmonics
        self._rate = head.rate
        self._origin = head.first
        self._columns = head.sensors.of_kind(*FILTERED)
        guides = head.sensors.of_kind("mag", "ref")
        self._guide = np.isin(self._columns, guides) if len(guides) else np.ones(len(self._columns), dtype=np.bool_)
        n = len(self._columns)
        self._frame = max(8, round(FRAME_S * head.rate))
        self._watched = np.full((max(16, round(ACQUIRE_S * head.rate)), n), np.nan)
        self._last = np.full(n, np.nan)
        self._size, self._seen = np.zeros(n), np.zeros(n)
        self._line: Line | None = None
        self._sums = np.zeros((1, 2, n))
        self._warm(head)

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

    def _warm(self, head: Block) -> None:
        """Call the kernel on no sample at all: compiled half a second into the stream it would stall it."""
        nothing = np.zeros(len(self._columns))
        model = np.zeros((1, 2, len(self._columns)))
        self._line = Line(50.0, 50.0, self._rate, 0.0, model, nothing, self._guide)
        self._track(head, bad_samples(head), head.data.copy(), at=0, stop=0, place=0)
        self._line = None

    def _watch(self, block: Block, bad: NDArray[np.bool_], at: int, stop: int, now: int) -> None:
        """Keep samples until there are enough to find the line in."""
        part = block.data[at:stop, self._columns]
        part[bad[at:stop, self._columns]] = np.nan
        self._watched[now : now + stop - at] = part
        if now + stop - at == len(self._watched):
            self._line = acquire(self._watched, self._rate, self._nominal, self._count, self._guide)
            self._sums = np.zeros_like(self._line.model)

    def _count(self, line: float) -> int:
        """Return how many harmonics to follow at this line frequency."""
        return self._harmonics or min(MOST, max(1, int(0.45 * self._rate / line)))

    def _track(
        self, block: Block, bad: NDArray[np.bool_], out: NDArray[np.float64], *, at: int, stop: int, place: int
    ) -> None:
        if (line := self._line) is None:
            return
        _subtract(
            block.data,
            bad,
            at,
            stop,
            self._columns,
            line.phase,
            line.advance,
            place,
            line.model,
            self._last,
            line.clip,
            self._sums,
            self._size,
            self._seen,
            out,
        )

    def _turn(self, sample: int) -> list[Event]:
        """End a frame: let the line learn, and say its frequency when it is time."""
        if (line := self._line) is None:
            return []
        line.learn(self._sums, self._size, self._seen, self._frame)
        self._sums[:] = 0.0
        self._size[:] = 0.0
        self._seen[:] = 0.0
        after = sample + 1 - self._origin
        first, every = (round(seconds * self._rate) for seconds in REPORT_S)
        before = after - self._frame
        due = before < first <= after or (after > first and (after - first) // every > (before - first) // every)
        return [Event(sample=sample, kind="mains", why=line.say())] if due else []
