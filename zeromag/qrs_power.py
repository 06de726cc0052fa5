"""The QRS band of every channel, its power over the array and the places where that peaks, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import BOOL, F64, I64, kernel

BAND = (6.0, 26.0)  # Hz; below lie T and P, above mostly noise
SMOOTH = 0.025  # s, each of the two equal poles that turn power into an envelope
SETTLE = 0.3  # s that a channel stays out of the power after it was masked
HOLD = 0.2  # s for which a peak must stand as the highest: the refractory time
FLOOR = 5.0  # s, memory of the mean envelope


@kernel
def _qrs(x: F64, bad: BOOL, sos: F64, settle: int, memory: F64, age: I64, held: F64, band: F64, power: F64) -> None:
    """Filter into `band`; write the mean square of those that have settled into `power` (-1: none)."""
    for t in range(x.shape[0]):
        total, seen = 0.0, 0
        for c in range(x.shape[1]):
            value = x[t, c]
            if bad[t, c] or not np.isfinite(value):
                age[c] = 0
                band[t, c] = np.nan
                continue
            if age[c] <= 0:
                # settled on a constant: a band-pass then holds zeros, and the constant is taken off its input
                held[c] = value
                memory[:, c, :] = 0.0
            # a stream's first sample (-1) is taken as settled, the first after a masked one (0) is not
            age[c] = min(age[c] + 1, settle) if age[c] >= 0 else settle
            value -= held[c]
            for k in range(sos.shape[0]):
                y = sos[k, 0] * value + memory[k, c, 0]
                memory[k, c, 0] = sos[k, 1] * value - sos[k, 4] * y + memory[k, c, 1]
                memory[k, c, 1] = sos[k, 2] * value - sos[k, 5] * y
                value = y
            band[t, c] = value
            if age[c] == settle:
                total += value * value
                seen += 1
        power[t] = total / seen if seen > 0 else -1.0


@kernel
def _peaks(power: F64, keep: float, slow: float, hold: int, first: int, state: F64, at: I64, height: F64) -> int:
    """Follow the envelope of `power` and write its peaks, each unsurpassed for `hold` samples; return how many.

    `state`: the two poles, the envelope before, the highest since it rose (-1: not rising), samples since
    then, the mean of the envelope's root and how many samples it has seen.
    """
    found = 0
    for t in range(power.shape[0]):
        if power[t] < 0.0:  # nothing is seen: no peak begins or ends here
            state[0], state[1], state[2], state[3] = 0.0, 0.0, 0.0, -1.0
            continue
        state[0] = keep * state[0] + (1.0 - keep) * power[t]
        state[1] = keep * state[1] + (1.0 - keep) * state[0]
        envelope = state[1]
        state[6] += 1.0
        state[5] += max(slow, 1.0 / state[6]) * (np.sqrt(envelope) - state[5])
        state[4] += 1.0
        if envelope > state[3] and (state[3] >= 0.0 or envelope > state[2]):
            state[3], state[4] = envelope, 0.0
        elif state[3] >= 0.0 and state[4] >= hold:
            at[found], height[found] = first + t - np.int64(state[4]), np.sqrt(state[3])
            found += 1
            state[3] = -1.0
        state[2] = envelope
    return found


@dataclass(frozen=True, slots=True)
class Peak:
    """A place where the QRS power peaks: perhaps a beat."""

    at: int  # stream sample of the envelope's peak, some 70 ms after R
    height: float  # root of the envelope, T (or V)


class QrsPower:
    """The running filter and peak follower over one stream, given consecutive samples."""

    def __init__(self, n_channels: int, rate: float) -> None:
        from scipy.signal import butter

        if rate <= 2.2 * BAND[1]:
            raise ValueError(f"beats need a rate above {2.2 * BAND[1]:.0f} Hz, got {rate:g} Hz")
        self._sos: F64 = np.ascontiguousarray(butter(2, BAND, "bandpass", fs=rate, output="sos"), dtype=np.float64)
        self._settle = round(SETTLE * rate)
        self._hold = round(HOLD * rate)
        self._keep = float(np.exp(-1.0 / (SMOOTH * rate)))
        self._slow = 1.0 / (FLOOR * rate)
        self._memory = np.zeros((len(self._sos), n_channels, 2))
        self._age = np.full(n_channels, -1, dtype=np.int64)
        self._held = np.zeros(n_channels)
        self._state = np.array([0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0])
        self._sees = True
        self.blinded: list[int] = []  # stream samples at which the last channel was lost, newest last

    def __call__(self, data: F64, bad: BOOL, first: int) -> tuple[F64, list[Peak]]:
        """Return the QRS band (n_samples, n_channels), NaN where masked, and the peaks now known to stand."""
        band = np.empty_like(data)
        power = np.empty(len(data))
        _qrs(data, bad, self._sos, self._settle, self._memory, self._age, self._held, band, power)
        sees = power >= 0
        lost = np.flatnonzero(~sees & np.concatenate(([self._sees], sees[:-1])))
        self.blinded = [*self.blinded[-20:], *(first + lost).tolist()]
        self._sees = bool(sees[-1])
        at, height = np.empty(len(data), dtype=np.int64), np.empty(len(data))
        found = _peaks(power, self._keep, self._slow, self._hold, first, self._state, at, height)
        peaks = [Peak(a, h) for a, h in zip(at[:found].tolist(), height[:found].tolist(), strict=True)]
        return band, peaks

    @property
    def floor(self) -> float:
        """Mean of the envelope's root over the last seconds, beats included; T (or V)."""
        return float(self._state[5])
