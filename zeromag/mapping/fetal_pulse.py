"""The fetus's beats, in what is left of the stream without the mother."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.beat import Beat
from zeromag.mapping.history import History
from zeromag.mapping.pulse_track import Found, PulseTrack
from zeromag.mapping.unmix import unmix

BAND = (15.0, 60.0)  # Hz, of a fetus's QRS
SETTLE = 1.0  # s of the band-pass
AGAIN = 4.0  # s between two looks for a fetus that is not seen
FASTEST, SLOWEST = 0.27, 0.62  # s, intervals looked for: 222 to 97 a minute
SMOOTH = 0.024  # s, of the envelope
REPEATS = 0.25  # correlation of the envelope with itself one interval later, from which it is believed
CLEAR = 3.0  # noise units, of the median beat
MOST = 0.7  # share of beats that must be seen
LOST = 0.4  # share below which the fetus is looked for anew
NEAR = 0.03  # s around a beat in which its R is placed
SHAPE = 0.03  # s to each side, of the direction's mean beat that each is laid upon
SLIP = 0.008  # s, farthest that a beat is moved by that
EARLY = 0.8  # of the typical interval, below which a beat is premature


class FetalPulse:
    """Callable with the stream without the mother, in pieces; returns the fetus's beats as they come to stand."""

    def __init__(self, learn: float, components: int, rate: float, first: int) -> None:
        from scipy.signal import butter

        self._learn, self._components, self._rate = round(learn * rate), components, rate
        self._sos = butter(2, BAND, "bandpass", fs=rate, output="sos")
        self._memory: F64 | None = None
        self._begin = first + round(SETTLE * rate)
        self._track: PulseTrack | None = None
        self._last_r = np.nan

    def __call__(self, wave: F64, bad: BOOL, first: int) -> list[Beat]:
        """Take samples (n_samples, n_channels)."""
        from scipy.signal import sosfilt

        if self._memory is None:
            self._zero = wave[0].copy()
            self._memory = np.zeros((len(self._sos), 2, wave.shape[1]))
            keep = self._learn + round(10 * self._rate)
            self._band, self._wide = History(keep, wave.shape[1], first), History(keep, wave.shape[1], first)
            self._bad = History(keep, wave.shape[1], first)
        beats: list[Beat] = []
        hop = round(0.25 * self._rate)
        for begin in range(0, len(wave), hop):
            part = wave[begin : begin + hop]
            band, self._memory = sosfilt(self._sos, part - self._zero, axis=0, zi=self._memory)
            self._band.append(band)
            self._wide.append(part - self._zero)
            self._bad.append(bad[begin : begin + hop].astype(np.float64))
            if self._track is None:
                beats += self._look(len(part))
            else:
                beats += self._named(self._track(self._score(self._band.stop - len(part))))
                if len(self._track.seen) == 20 and np.mean(self._track.seen) < LOST:
                    self._track, self._begin = None, self._band.stop - self._learn // 2
        return beats

    def finish(self) -> list[Beat]:
        """Return the beats that were still open."""
        return self._named(self._track.finish()) if self._track is not None else []

    def _look(self, samples: int) -> list[Beat]:
        """Look for the fetus in the newest seconds, now and then; return its beats there."""
        stop = self._band.stop
        late = stop - self._begin - self._learn
        if late < 0 or late % round(AGAIN * self._rate) >= samples:
            return []
        start = stop - self._learn
        wave = self._band.take(start, stop)
        good = ~self._bad.take(start, stop).all(axis=0) & (np.ptp(wave, axis=0) > 0)
        if good.sum() < 2:
            return []
        rows = unmix(wave[:, good], self._components, self._rate)
        signals = wave[:, good] @ rows.T
        rhythms = [_rhythm(signals[:, k], self._rate) for k in range(len(rows))]
        best = int(np.argmax([share for share, _ in rhythms]))
        share, interval = rhythms[best]
        if share < REPEATS:
            return []
        self._direction = np.zeros(wave.shape[1])
        self._direction[good] = rows[best]
        self._noise = 1.4826 * float(np.median(np.abs(signals[:, best])))
        if _peaks(-signals[:, best], interval, self._rate) > _peaks(signals[:, best], interval, self._rate):
            self._direction *= -1.0
        track = PulseTrack(self._rate, start, interval, CLEAR)
        found: list[Found] = []
        hop = round(0.25 * self._rate)
        score = self._score(start)
        for begin in range(0, len(score), hop):
            found += track(score[begin : begin + hop])
        heights = [one.height for one in found]
        if len(found) < 8 or np.median(heights) < CLEAR or np.mean([one.seen for one in found]) < MOST:
            return []
        self._track = track
        self._shape = self._mean_shape(found)
        self._offset = self._r_after(found)
        return self._named(found)

    def _mean_shape(self, found: list[Found]) -> F64:
        """Return the direction's mean beat, aligned on its own first mean: (n,) without its average."""
        reach = round(SHAPE * self._rate)
        self._shape = np.zeros(0)
        for _ in range(2):
            whole = [one.at for one in found if one.seen and self._band.holds(one.at - 2 * reach, one.at + 2 * reach)]
            at = [round(self._refined(place)) for place in whole]
            waves = [self._band.take(k - reach, k + reach + 1) @ self._direction for k in at]
            shape = np.mean(waves, axis=0)
            self._shape = shape - shape.mean()
        return self._shape

    def _score(self, start: int) -> F64:
        """Return the fetus's direction in noise units, from sample `start` on; masked samples say nothing."""
        band, used = self._band.take(start, self._band.stop), np.flatnonzero(self._direction)
        score = np.zeros(len(band))
        for c in used.tolist():  # in fixed order, whatever the length
            score += band[:, c] * self._direction[c]
        bad = (self._bad.take(start, self._band.stop)[:, used] > 0).any(axis=1)
        return np.where(bad, 0.0, score / self._noise)

    def _r_after(self, found: list[Found]) -> int:
        """Return how far R, where the field of the mean beat is largest, lies from the peak of the direction."""
        near = round(NEAR * self._rate)
        waves = [
            self._wide.take(one.at - 2 * near, one.at + 2 * near + 1)
            for one in found
            if one.seen and self._wide.holds(one.at - 2 * near, one.at + 2 * near + 1)
        ]
        mean = np.mean(waves, axis=0)
        mean = mean - np.median(mean, axis=0)
        return int(np.argmax(np.sum(mean[near:-near] ** 2, axis=1))) - near

    def _named(self, found: list[Found]) -> list[Beat]:
        """Return the row's beats with the interval before each; the unseen ones stay out of averages and rates."""
        beats: list[Beat] = []
        for one in found:
            sample = self._refined(one.at) + self._offset
            if not one.seen:
                self._last_r = np.nan
                beats.append(Beat(sample=sample, kind="fetal", why="hidden in noise: placed by the rhythm"))
                continue
            beats.append(Beat(sample=sample, kind="fetal", rr=(sample - self._last_r) / self._rate))
            self._last_r = sample
        return beats

    def _refined(self, at: int) -> float:
        """Return where the mean beat lies best on the direction's values, between samples by a parabola."""
        reach, slip = len(self._shape) // 2, round(SLIP * self._rate)
        if not len(self._shape) or not self._band.holds(at - reach - slip, at + reach + slip + 1):
            return float(at)
        signal = self._band.take(at - reach - slip, at + reach + slip + 1) @ self._direction
        alike = np.correlate(signal, self._shape, "valid")
        best = int(np.argmax(alike))
        if not 0 < best < len(alike) - 1:
            return float(at)
        left, middle, right = alike[best - 1 : best + 2].tolist()
        curve = left - 2 * middle + right
        return at + best - slip + (0.5 * (left - right) / curve if curve < 0 else 0.0)


def _rhythm(signal: F64, rate: float) -> tuple[float, float]:
    """Return how much the signal's envelope is like itself one interval later, and that interval, s."""
    from scipy.ndimage import uniform_filter1d

    power = uniform_filter1d(signal**2, max(1, round(SMOOTH * rate)), mode="nearest")
    envelope = np.sqrt(power)
    envelope = np.minimum(envelope, 4.0 * np.median(envelope))
    envelope -= envelope.mean()
    size = 1 << (2 * len(envelope) - 1).bit_length()
    spectrum = np.fft.rfft(envelope, size)
    alike = np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(envelope)]
    low, high = round(FASTEST * rate), round(SLOWEST * rate)
    best = low + int(np.argmax(alike[low:high]))
    return float(alike[best] / alike[0]), best / rate


def _peaks(signal: F64, interval: float, rate: float) -> float:
    """Return the typical highest value within an interval: the larger, the more a signal's beats point up."""
    n = round(interval * rate)
    whole = signal[: len(signal) // n * n].reshape(-1, n)
    return float(np.median(whole.max(axis=1)))
