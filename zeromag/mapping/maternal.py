"""The mother's beats taken out of all channels: each as her average beat, a little stronger, weaker, early or late."""

from __future__ import annotations

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.mapping.beat import Beat
from zeromag.mapping.history import History

BEFORE, AFTER = 0.26, 0.55  # s around R that hold P to T
QRS = 0.06  # s around R in which strength and timing are fitted
TAPER = 0.02  # s in which the subtracted beat fades in and out
KEPT = 24  # newest beats of a kind that the average is made of
FEWEST = 3  # others of its kind that a beat is subtracted with
STRENGTH, TIMING = 0.2, 1.5e-3  # how much beats differ, 1 and s: the fit's prior
T_TIMING = 8e-3  # s, how much T comes earlier or later than its QRS says, which goes with the interval before
ALIKE = 0.02  # s that what is not hers stays alike: that many samples say as much as one
LOADED = 0.03  # of its mean, added to the variance of each channel that is not hers
TRIMMED = 0.25  # of the beats, at each end, that the average leaves out sample by sample


class Maternal:
    """Callable with spans of the stream; returns them without the mother.

    A beat's part is reckoned once, from the beats known then, so that no span's result depends on the next.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._before, self._after, self._taper = round(BEFORE * rate), round(AFTER * rate), round(TAPER * rate)
        self._waves: dict[str, list[F64]] = {}  # (before + after, n_channels) of the newest beats of each kind
        self._new: list[Beat] = []  # whose wave is not whole yet
        self._beats: list[Beat] = []  # known, and not yet past
        self._parts: dict[float, tuple[int, F64 | None]] = {}  # start and wave to take off, by R; None: not known

    def take(self, beats: list[Beat]) -> None:
        """Take the mother's newest beats, in order of decision."""
        self._new += beats
        self._beats = sorted([*self._beats, *beats], key=lambda beat: beat.sample)

    def learn(self, rows: History) -> None:
        """Cut out the waves of the beats that are now whole."""
        waiting: list[Beat] = []
        for beat in self._new:
            r = round(beat.sample)
            if rows.holds(r - self._before, r + self._after):
                waves = self._waves.setdefault(_shape(beat), [])
                waves.append(rows.take(r - self._before, r + self._after).copy())
                del waves[:-KEPT]
            elif r + self._after > rows.stop:
                waiting.append(beat)
        self._new = waiting

    def without(self, rows: History, start: int, stop: int) -> tuple[F64, BOOL]:
        """Return the span without the mother, and where a beat of hers is that could not be taken out."""
        out, unclean = rows.take(start, stop).copy(), np.zeros(stop - start, dtype=np.bool_)
        for k, beat in enumerate(self._beats):
            r = round(beat.sample)
            if r - self._before >= stop:
                break
            if beat.sample not in self._parts:
                following = self._beats[k + 1].sample if k + 1 < len(self._beats) else np.inf
                self._parts[beat.sample] = r - self._before, self._part(rows, beat, following)
            begin, wave = self._parts[beat.sample]
            length = self._before + self._after if wave is None else len(wave)
            low, high = max(start, begin), min(stop, begin + length)
            if low >= high:
                continue
            if wave is None:
                unclean[low - start : high - start] = True
            else:
                out[low - start : high - start] -= wave[low - begin : high - begin]
        self._beats = [beat for beat in self._beats if beat.sample + self._after > stop]
        self._parts = {beat.sample: self._parts[beat.sample] for beat in self._beats if beat.sample in self._parts}
        return out, unclean

    def _part(self, rows: History, beat: Beat, following: float) -> F64 | None:
        """Return what a beat adds to every channel, None when too few like it are known."""
        waves = self._waves.get(_shape(beat), [])
        r, whole = round(beat.sample), self._before + self._after
        length = int(min(whole, max(self._before + self._taper, following - beat.sample)))
        own = rows.take(r - self._before, r + self._after) if rows.holds(r - self._before, r + self._after) else None
        others = [wave for wave in waves if own is None or not np.array_equal(wave, own)]
        if len(others) < FEWEST:
            return None
        mean = _typical(others)
        mean -= mean[: self._taper].mean(axis=0)
        part: F64 = mean[:length].copy()
        if own is not None:
            rests = [wave[:length] - part for wave in others]
            own, reach = own[:length], round(QRS * self._rate)
            near = slice(self._before - reach, min(length, self._before + reach))
            part += self._change(own, part, rests, near, TIMING)
            after = slice(near.stop, length)
            if length - near.stop > 2 * self._taper:
                rise = np.zeros((length, 1))
                rise[after, 0] = np.minimum(1.0, (np.arange(length - near.stop) + 0.5) / self._taper)
                part += rise * self._change(own, part, rests, after, T_TIMING)
        fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(self._taper) + 0.5) / self._taper)
        part[: self._taper] *= fade[:, None]
        part[-self._taper :] *= fade[::-1, None]
        return part

    def _change(self, own: F64, part: F64, rests: list[F64], rows: slice, timing: float) -> F64:
        """Return what a beat adds to `part`: stronger or weaker, early or late, as some rows of it say.

        Two numbers for all channels. These are weighed by what other beats left in them (`rests`), above all the
        fetus: what looks like its field says nothing. T is asked by itself: QRS does not tell its height, and its time
        goes with the interval before.
        """
        lean = np.gradient(part, axis=0)
        ways = np.stack([_level(part[rows]), _level(lean[rows])])
        left = np.concatenate([_level(rest[rows]) for rest in rests])
        spread = left.T @ left / len(left)
        spread += (LOADED * float(np.mean(np.diag(spread))) + 1e-300) * np.eye(len(spread))
        weighed = np.linalg.solve(spread, np.moveaxis(ways, 2, 1)) / (ALIKE * self._rate)
        told = np.einsum("ict,jtc->ij", weighed, ways)
        told += np.diag([1 / STRENGTH**2, 1 / (timing * self._rate) ** 2])
        stronger, earlier = np.linalg.solve(told, np.einsum("ict,tc->i", weighed, _level(own[rows] - part[rows])))
        return np.asarray(stronger * part + earlier * lean)


def _typical(waves: list[F64]) -> F64:
    """Return the mean of the middle half at each sample: a fetus's beat lies in one of eight there, and stays out."""
    out = int(TRIMMED * len(waves))
    return np.asarray(np.sort(waves, axis=0)[out : len(waves) - out].mean(axis=0))


def _level(wave: F64) -> F64:
    """Return a wave without the mean over time of each channel."""
    return np.asarray(wave - wave.mean(axis=0))


def _shape(beat: Beat) -> str:
    """Return the class a beat looks like: one that is only early looks normal."""
    return "normal" if beat.kind == "premature" else beat.kind
