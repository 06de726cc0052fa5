"""Judge each magnetic channel on one window after another: flat, jumping, noisy, saturated or missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.event import Event
from zeromag.sensors import SensorArray

WINDOW_S = 0.25
COMB_S = 0.1  # five cycles of 50 Hz, six of 60: a difference over it takes both lines out
FLAT_T = 50e-15  # a living sensor moves more than this in a window
LEAST_JUMP_T = 1e-12  # steps below do no harm
ALONE = 5.0  # times the upper quartile of its kind at that sample: a step is one channel's, a beat is not
COMPANY = 4  # channels of a kind that can be compared
SHARED = 0.3  # a step that so many channels make at once is the room's, not theirs
LONGEST_S = 60.0  # a channel that keeps relapsing is tried again no less often than this
RAILED = 3  # samples in a window that make a channel saturated
PLATEAU = 5  # equal samples in a row at the edge of what a channel reads: it clips


@dataclass(slots=True)
class _Finding:
    kind: str
    why: str


class Judge:
    """Gathers one window of samples, then decides; `bad` is the verdict that holds now: (n_channels,).

    A channel that goes on jumping is reported again whenever its count has doubled.
    """

    def __init__(
        self, sensors: SensorArray, rate: float, window: int, *, noisy: float, jump: float, patience: float
    ) -> None:
        self._sensors = sensors
        self._noisy, self._jump = noisy, jump
        self._rows = np.flatnonzero(np.isin(np.arange(len(sensors)), sensors.of_kind("mag", "ref")) & sensors.usable())
        self._is_mag = np.array([sensors.kinds[c] == "mag" for c in self._rows.tolist()], dtype=np.bool_)
        self._window, self._seconds = window, window / rate
        self._comb = max(1, round(COMB_S * rate))
        n = len(self._rows)
        # the window, and before it what the comb and a second difference reach back to
        self._kept = np.full((self._comb + 2 + window, n), np.nan)
        self._railed = np.zeros(n, dtype=np.int64)
        self._jumps = np.zeros(n, dtype=np.int64)  # in this window
        self._counted = np.zeros(n, dtype=np.int64)  # since the channel was last good
        self._said = np.zeros(n, dtype=np.int64)
        self._height = np.zeros(n)
        self._suspect = np.zeros(n, dtype=np.int64)
        self._patience = np.full(n, patience)
        self._clean = np.zeros(n)  # s since the last finding
        self.bad = np.zeros(len(sensors), dtype=np.bool_)

    def take(self, data: NDArray[np.float64], masked: NDArray[np.bool_], place: int) -> None:
        """Keep the samples from `place` in the window on; those masked already are not judged."""
        begin = self._comb + 2 + place
        part = data[:, self._rows]
        hidden = masked[:, self._rows]
        self._railed += (hidden & np.isfinite(part)).sum(axis=0)
        part[hidden] = np.nan
        self._kept[begin : begin + len(part)] = part

    def decide(self, sample: int) -> list[Event]:
        """Judge the window that ends with `sample`, and return what changed."""
        findings = self._findings()
        events = []
        for k, row in enumerate(self._rows.tolist()):
            event = self._turn(k, row, findings[k], sample)
            if event is not None:
                events.append(event)
        self._kept[: self._comb + 2] = self._kept[self._window :]
        self._kept[self._comb + 2 :] = np.nan
        self._railed[:] = 0
        return events

    def _turn(self, k: int, row: int, finding: _Finding | None, sample: int) -> Event | None:
        """Change the verdict on one channel if the finding calls for it."""
        name = self._sensors.names[row]
        if finding is not None:
            self._clean[k] = 0.0
            more = self._counted[k] >= 2 * max(1, self._said[k]) and finding.kind == "jumping"
            if self.bad[row] and not more:
                return None
            self.bad[row] = True
            self._said[k] = self._counted[k]
            return Event(sample=sample, kind=f"channel/{finding.kind}", channel=name, why=finding.why)
        self._clean[k] += self._seconds
        if not self.bad[row] or self._clean[k] < self._patience[k]:
            return None
        self.bad[row] = False
        self._counted[k] = self._said[k] = 0
        self._patience[k] = min(2 * self._patience[k], LONGEST_S)
        return Event(sample=sample, kind="channel/good", channel=name, why=f"clean for {self._clean[k]:.3g} s")

    def _findings(self) -> list[_Finding | None]:
        """Return what is wrong with each channel in this window."""
        now = self._kept[self._comb + 2 :]
        there = np.isfinite(now).sum(axis=0)
        low = np.nanmin(np.where(np.isfinite(now), now, np.inf), axis=0)
        high = np.nanmax(np.where(np.isfinite(now), now, -np.inf), axis=0)
        span = np.where(there > 0, high - low, np.nan)
        bend = self._bend()
        noise = _middle(bend)
        self._count_jumps(bend, noise)
        level = self._level(noise)
        self._suspect = np.where(level > self._noisy, self._suspect + 1, 0)
        clipped = self._plateau(now, low, high, span)
        missing = self._window - there - self._railed
        flat = np.maximum(FLAT_T, 1.5 * self._sensors.quantum[self._rows])
        return [
            self._name(
                k, int(missing[k]), bool(clipped[k]), still=bool(span[k] < flat[k]), span=span[k], level=level[k]
            )
            for k in range(len(self._rows))
        ]

    def _name(self, k: int, missing: int, clipped: bool, *, still: bool, span: float, level: float) -> _Finding | None:
        """Return the first thing wrong with one channel, the plainest first."""
        if missing > self._window / 2:
            return _Finding("missing", f"{missing} of {self._window} samples")
        if self._railed[k] >= RAILED or clipped:
            return _Finding("saturated", f"{int(self._railed[k])} samples at its limit" if not clipped else "it clips")
        if still:
            return _Finding("flat", f"moved {span * 1e15:.2g} fT in {self._seconds:.2g} s")
        if self._jumps[k] > 0:
            count = int(self._counted[k])
            return _Finding("jumping", f"{count} step{'s' * (count > 1)} of {self._height[k] * 1e12:.3g} pT")
        if self._suspect[k] >= 2:
            return _Finding("noisy", f"{level:.3g} times the noise of the others")
        return None

    def _bend(self) -> NDArray[np.float64]:
        """Return second differences with the line combed out: (window, n)."""
        comb = self._kept[self._comb :] - self._kept[: -self._comb]
        bend: NDArray[np.float64] = comb[2:] - 2 * comb[1:-1] + comb[:-2]
        return bend

    def _count_jumps(self, bend: NDArray[np.float64], noise: NDArray[np.float64]) -> None:
        """Count steps: second differences far beyond a channel's noise that few others make."""
        size = np.abs(np.nan_to_num(bend))
        far = size > np.maximum(np.maximum(self._jump * noise, LEAST_JUMP_T), self._company(size))
        far[:, ~(noise > 0)] = False
        far &= (far.sum(axis=1) <= max(1.0, SHARED * far.shape[1]))[:, None]
        onset = far & ~np.vstack([np.zeros((1, far.shape[1]), dtype=np.bool_), far[:-1]])
        # a step shows again, turned round, when it leaves the comb: count it once, and only the way in
        echo = np.zeros_like(onset)
        echo[self._comb :] = onset[: -self._comb]
        onset &= ~echo
        self._jumps = onset.sum(axis=0)
        self._counted += self._jumps
        self._height = np.where(onset.any(axis=0), size.max(axis=0), self._height)

    def _company(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far a second difference may go in the company of its kind: (window, n).

        At 250 Hz a QRS bends by more than a dozen times the noise between samples, but not in one channel alone. A
        kind with too few channels to compare is not judged.
        """
        limit = np.full(size.shape, np.inf)
        for same in (self._is_mag, ~self._is_mag):
            fit = same & ~self.bad[self._rows]
            if fit.sum() >= COMPANY:
                limit[:, same] = ALONE * np.quantile(size[:, fit], 0.75, axis=1)[:, None]
        return limit

    def _level(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each channel's noise over the median of its kind that is not bad already."""
        level = np.ones(len(noise))
        for same in (self._is_mag, ~self._is_mag):
            fit = same & np.isfinite(noise) & (noise > 0) & ~self.bad[self._rows]
            if fit.sum() >= 3:
                level[same] = noise[same] / np.median(noise[fit])
        return np.nan_to_num(level)

    def _plateau(
        self,
        now: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        span: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Return which channels stand still for several samples at the edge of their span."""
        coarse = self._sensors.quantum[self._rows]
        edge = (now == low) | (now == high)
        run = np.lib.stride_tricks.sliding_window_view(edge & np.isfinite(now), PLATEAU, axis=0).all(axis=-1)
        same = np.lib.stride_tricks.sliding_window_view(now, PLATEAU, axis=0)
        still = (same == same[..., :1]).all(axis=-1)
        clips: NDArray[np.bool_] = (run & still).any(axis=0) & (span > 20 * np.maximum(coarse, FLAT_T))
        return clips


def _middle(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median size down each column, NaN left out; NaN for a column without a value: (n,)."""
    size = np.sort(np.abs(values), axis=0)  # NaN last
    count = np.isfinite(size).sum(axis=0)
    return np.where(count > 0, size[np.maximum(count - 1, 0) // 2, np.arange(size.shape[1])], np.nan)
