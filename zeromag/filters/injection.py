"""A known heart beside the stream: the same chain runs with it and without, and the difference is what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.known_heart import known_heart
from zeromag.filters.meter import HeartCost, cost_of_maps
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain, Tap

LOOP_S = 8  # the known heart repeats after so many beats, one a second
SETTLE = 0.4  # of the stream: what comes before is not judged
BEFORE_S, AFTER_S = 0.3, 0.4  # of a beat, about R


class Injection:
    """Callable with a raw block and what the chain made of it; runs the chain once more with a heart on top."""

    def __init__(self, chain: Chain, head: Block) -> None:
        heart = known_heart(head.sensors, head.rate, LOOP_S + 1.0, HalfSpace(), HeartVolume())
        length = round(LOOP_S * head.rate)
        self._heart = heart.field[:length]
        self._r_peaks = heart.r_peaks[heart.r_peaks < length - round(AFTER_S * head.rate)]
        self._mag = head.sensors.of_kind("mag")
        self._rate, self._origin = head.rate, head.first
        self._taps: Callable[[Block], Tap] = chain.tapped()
        self._left: list[NDArray[np.float64]] = []
        self._places: list[NDArray[np.int64]] = []

    def __call__(self, raw: Block, out: Block) -> None:
        """Take one block of the stream, before and behind the chain."""
        place = (np.arange(raw.first, raw.stop) - self._origin) % len(self._heart)
        with_heart = self._taps(raw.with_data(raw.data + self._heart[place]))[-1]
        left = (with_heart.data - out.data)[:, self._mag]
        left[(with_heart.bad() | out.bad())[:, self._mag]] = np.nan
        self._left.append(left)
        self._places.append(place)

    def cost(self, delay_s: float, noise_gain: float) -> HeartCost:
        """Return what the stream's own conditions left of the heart, given the chain's delay."""
        left, place = np.concatenate(self._left), np.concatenate(self._places)
        shift = round(delay_s * self._rate)
        span = np.arange(-round(BEFORE_S * self._rate), round(AFTER_S * self._rate))
        start = round(SETTLE * len(left))
        peaks = np.flatnonzero(np.isin(place, self._r_peaks))
        peaks = peaks[(peaks > start) & (peaks + span[0] >= 0) & (peaks + span[-1] + shift < len(left))]
        used = np.isfinite(left[start:]).mean(axis=0) > 0.5
        before, after, powers = [], [], []
        for peak in peaks.tolist():
            known, found = self._heart[place[peak + span]][:, self._mag][:, used], left[peak + shift + span][:, used]
            if np.isfinite(found).all():
                before.append(known[-span[0]])
                after.append(found[-span[0]])
                powers.append(float((found**2).sum() / (known**2).sum()))
        if not powers:
            return HeartCost(float("nan"), float("nan"), noise_gain, delay_s)
        maps = cost_of_maps(np.array(before).T, np.array(after).T, None, noise_gain)
        return HeartCost(float(np.median(powers)), maps.map_correlation, noise_gain, delay_s, maps.map_error)
