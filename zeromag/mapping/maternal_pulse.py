"""The mother's beats: found where she beats alone, by the detector that finds any adult's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from zeromag._jit import BOOL, F64
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.detect import Beats
from zeromag.mapping.unmix import unmix
from zeromag.sensors import Kind, SensorArray

if TYPE_CHECKING:
    from zeromag.mapping.detect import Search
    from zeromag.mapping.fetal import Fetal

BAND = (8.0, 45.0)  # Hz that is separated: QRS
FEWEST = 6  # beats that a direction must show
PEAKED = 6.0  # kurtosis from which a direction may hold a heart: noise has 3, a QRS every second 10 and more
SAME = 0.08  # of the rate, within which two directions show one heart
UNEVEN = 0.25  # spread of a rhythm, over its interval, above which it is none


@dataclass(frozen=True, slots=True)
class _Direction:
    """One component of the learning time in which a heart was found."""

    row: F64  # unmixing, 1 per channel
    rate: float  # 1/min
    alike: float  # median correlation of its beats


class MaternalPulse:
    """The running detector on the mother's directions; with no mother in sight it finds no beat."""

    def __init__(self, rows: F64, used: BOOL, rate: float) -> None:
        self._rows = np.ascontiguousarray(rows)  # (n_directions, n_channels)
        self.used = used  # (n_channels,) channels that the directions lean on
        self._rate = rate
        self._search: Search | None = None

    @classmethod
    def learn(cls, wave: F64, good: BOOL, rate: float, first: int, settings: Fetal) -> Self | None:
        """Return the detector learned from a stretch (n_samples, n_channels); None when no heart is seen in it."""
        from scipy.signal import butter, sosfilt

        if good.sum() < 2:
            return None
        low = wave[:, good] - wave[0, good]
        band = sosfilt(butter(2, BAND, "bandpass", fs=rate, output="sos"), low, axis=0)[round(0.5 * rate) :]
        found: list[_Direction] = []
        for row in unmix(band, settings.components, rate):
            signal = band @ row
            if np.mean(signal**4) < PEAKED * np.mean(signal**2) ** 2:
                continue
            beats = _search(low @ row[:, None], rate, first)
            intervals = np.array([beat.rr for beat in beats if np.isfinite(beat.rr)])
            if len(beats) < FEWEST or not len(intervals) or np.std(intervals) > UNEVEN * np.median(intervals):
                continue
            alike = float(np.median([beat.correlation for beat in beats]))
            found.append(_Direction(row, 60.0 / float(np.median(intervals)), alike))
        if not found:
            return None
        slowest = min(direction.rate for direction in found)
        hers = [one for one in found if one.rate <= (1 + SAME) * slowest] if slowest < settings.slowest else []
        rows = np.zeros((len(hers), len(good)))
        for k, direction in enumerate(sorted(hers, key=lambda one: -one.alike)):
            rows[k, good] = direction.row
        return cls(rows, good, rate)

    def since(self, wave: F64, bad: BOOL, first: int) -> list[Beat]:
        """Return the beats of the stretch that has gone by."""
        return self(wave, bad, first)

    def __call__(self, wave: F64, bad: BOOL, first: int) -> list[Beat]:
        """Take the samples that follow (n_samples, n_channels)."""
        if not len(self._rows):
            return []
        # summed channel by channel: the order must not depend on how many samples there are
        heart = np.zeros((len(wave), len(self._rows)))
        for c in np.flatnonzero(self.used).tolist():
            heart += wave[:, c, None] * self._rows[:, c]
        mask = np.repeat(np.any(bad & self.used, axis=1, keepdims=True), len(self._rows), axis=1)
        block = Block(data=heart, first=first, rate=self._rate, sensors=_leads(len(self._rows)), mask=mask)
        if self._search is None:
            self._search = Beats().start(block)
        return self._search(block)

    def finish(self) -> list[Beat]:
        """Return the beats that were still open."""
        return self._search.finish() if self._search is not None else []


def _search(wave: F64, rate: float, first: int) -> list[Beat]:
    block = Block(data=np.ascontiguousarray(wave), first=first, rate=rate, sensors=_leads(wave.shape[1]))
    search = Beats().start(block)
    return search(block) + search.finish()


def _leads(count: int) -> SensorArray:
    """Return leads that stand for directions."""
    nowhere = np.full((count, 3), np.nan)
    lead: Kind = "ecg"
    return SensorArray(tuple(f"D{k}" for k in range(count)), nowhere, nowhere, kinds=(lead,) * count)
