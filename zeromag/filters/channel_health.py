"""Judge each magnetic channel on one window after another: flat, jumping, noisy, saturated or missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.event import Event
from zeromag.filters.channel_window import PLATEAU, Window
from zeromag.filters.ranked import median_of
from zeromag.sensors import SensorArray

WINDOW_S = 0.25
VERDICT_S = 0.1  # after a window its verdict holds; until then the work is spread over the blocks that come
COMB_S = 0.1  # five cycles of 50 Hz, six of 60: a difference over it takes both lines out
FLAT_T = 50e-15  # a living sensor moves more than this in a window
LONGEST_S = 60.0  # a channel that keeps relapsing is tried again no less often than this
RAILED = 3  # samples in a window that make a channel saturated
FEWEST = 3  # channels of a kind whose median noise says what is usual
MOST = float(np.finfo(np.float64).max)  # an endless noise is no number to tell people


@kernel
def _levels(noise: F64, is_mag: BOOL, rows: I64, bad: BOOL, level: F64) -> None:
    """Write each channel's noise over the median of its kind that is not bad already; 1 when too few are told."""
    some = np.empty(len(noise))
    for kind in (True, False):
        count = 0
        for k in range(len(noise)):
            if is_mag[k] == kind and noise[k] > 0.0 and noise[k] < np.inf and not bad[rows[k]]:
                some[count] = noise[k]
                count += 1
        middle = median_of(some, count) if count >= FEWEST else np.nan
        for k in range(len(noise)):
            if is_mag[k] == kind:
                share = noise[k] / middle if count >= FEWEST else 1.0
                level[k] = 0.0 if np.isnan(share) else min(share, MOST)


@dataclass(slots=True)
class _Finding:
    kind: str
    why: str


class Judge:
    """Gathers one window of samples after another; `bad` is the verdict that holds now: (n_channels,).

    A window is looked into piece by piece while the next one fills, and its verdict falls `delay` samples after it,
    at a fixed sample however the stream is cut. A channel that goes on jumping is reported again whenever its count
    has doubled.
    """

    def __init__(
        self, sensors: SensorArray, rate: float, window: int, *, noisy: float, jump: float, patience: float
    ) -> None:
        self._sensors = sensors
        self._noisy, self._jump = noisy, jump
        self._rows = np.flatnonzero(np.isin(np.arange(len(sensors)), sensors.of_kind("mag", "ref")) & sensors.usable())
        self._is_mag = np.array([sensors.kinds[c] == "mag" for c in self._rows.tolist()], dtype=np.bool_)
        self._size, self._seconds = window, window / rate
        self.delay = max(1, round(VERDICT_S * rate))
        self._window = Window(self._rows, self._is_mag, window, max(1, round(COMB_S * rate)))
        self._done = self._window.pieces  # of the work on the last window; there is none yet
        self._still = np.maximum(FLAT_T, 1.5 * sensors.quantum[self._rows])  # moves less: flat
        self._coarse = 20 * np.maximum(FLAT_T, sensors.quantum[self._rows])  # spans less: its edges are no rails
        n = len(self._rows)
        self._counted = np.zeros(n, dtype=np.int64)  # since the channel was last good
        self._said = np.zeros(n, dtype=np.int64)
        self._height = np.zeros(n)
        self._suspect = np.zeros(n, dtype=np.int64)
        self._patience = np.full(n, patience)
        self._clean = np.zeros(n)  # s since the last finding
        self.bad = np.zeros(len(sensors), dtype=np.bool_)
        for piece in range(self._window.pieces):  # compiled in the stream they would stall it
            self._work(piece)

    def take(self, data: NDArray[np.float64], masked: NDArray[np.bool_], start: int, stop: int, place: int) -> None:
        """Keep samples `start:stop`, at `place` in the window; those masked already are not judged."""
        self._window.take(data, masked, start, stop)
        end = place + stop - start
        if end == self._size:
            self._done = 0
            return
        due = self._window.due(end / self.delay)
        while self._done < due:
            self._work(self._done)
            self._done += 1

    def _work(self, piece: int) -> None:
        self._window.work(piece, ~self.bad[self._rows], self._jump)

    def decide(self, sample: int) -> list[Event]:
        """Let the verdict on the last window hold after `sample`, and return what changed."""
        wrong = self._wrong()
        self._clean += self._seconds
        self._clean[wrong.any(axis=0)] = 0.0
        concerned = np.flatnonzero(wrong.any(axis=0) | self.bad[self._rows])
        turned = (self._turn(k, self._finding(k, wrong[:, k]), sample) for k in concerned.tolist())
        return [event for event in turned if event is not None]

    def _turn(self, k: int, finding: _Finding | None, sample: int) -> Event | None:
        """Change the verdict on one channel if the finding calls for it."""
        row = int(self._rows[k])
        name = self._sensors.names[row]
        if finding is not None:
            more = self._counted[k] >= 2 * max(1, self._said[k]) and finding.kind == "jumping"
            if self.bad[row] and not more:
                return None
            self.bad[row] = True
            self._said[k] = self._counted[k]
            return Event(sample=sample, kind=f"channel/{finding.kind}", channel=name, why=finding.why)
        if self._clean[k] < self._patience[k]:
            return None
        self.bad[row] = False
        self._counted[k] = self._said[k] = 0
        self._patience[k] = min(2 * self._patience[k], LONGEST_S)
        return Event(sample=sample, kind="channel/good", channel=name, why=f"clean for {self._clean[k]:.3g} s")

    def _wrong(self) -> NDArray[np.bool_]:
        """Return what is wrong with each channel in this window, the plainest first: (5, n)."""
        window = self._window
        self._counted += window.steps
        self._height = np.where(window.steps > 0, window.largest, self._height)
        self._level = np.empty(len(window.noise))
        _levels(window.noise, self._is_mag, self._rows, self.bad, self._level)
        self._suspect = np.where(self._level > self._noisy, self._suspect + 1, 0)
        self._missing = self._size - window.there - window.railed
        self._span = np.where(window.there > 0, window.highest - window.lowest, np.nan)
        self._clips = (window.plateau >= PLATEAU) & (self._span > self._coarse)
        return np.stack(
            [
                self._missing > self._size / 2,
                (window.railed >= RAILED) | self._clips,
                self._span < self._still,
                window.steps > 0,
                self._suspect >= 2,
            ]
        )

    def _finding(self, k: int, wrong: NDArray[np.bool_]) -> _Finding | None:
        """Return the first thing wrong with one channel, in words."""
        if not wrong.any():
            return None
        which = int(np.argmax(wrong))
        if which == 0:
            return _Finding("missing", f"{int(self._missing[k])} of {self._size} samples")
        if which == 1:
            railed = f"{int(self._window.railed[k])} samples at its limit"
            return _Finding("saturated", "it clips" if self._clips[k] else railed)
        if which == 2:
            return _Finding("flat", f"moved {self._span[k] * 1e15:.2g} fT in {self._seconds:.2g} s")
        if which == 3:
            count = int(self._counted[k])
            return _Finding("jumping", f"{count} step{'s' * (count > 1)} of {self._height[k] * 1e12:.3g} pT")
        return _Finding("noisy", f"{self._level[k]:.3g} times the noise of the others")
