"""How fast the channels follow: bandwidth, rise time and delay, from a uniform field swept over frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.measured import Z95
from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive

DELAYS = (10.0, 40.0, 100.0)  # Hz, where the group delay is told
FEWEST = 5
REACH = 2 * DELAYS[-1]  # Hz, tones above tell nothing of the delays told


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What each channel makes of a field that all see alike."""

    frequency: NDArray[np.float64]  # (n_tones,) Hz
    factor: NDArray[np.complex128]  # (n_tones, n_channels) reading over its size at the lowest tone
    bandwidth: NDArray[np.float64]  # (n_channels,) Hz, 3 dB down; inf: not down at the highest tone
    bandwidth_error: NDArray[np.float64]  # (n_channels,) Hz
    delay: NDArray[np.float64]  # (len(DELAYS), n_channels) s, group delay
    delay_error: NDArray[np.float64]  # (len(DELAYS), n_channels) s

    @property
    def rise(self) -> NDArray[np.float64]:
        """Return the time from 10 to 90 % of a step, as a first-order sensor of this bandwidth has: 0.35/f, s."""
        return 0.35 / self.bandwidth

    @property
    def slowness(self) -> NDArray[np.float64]:
        """Return the time constant of a first-order sensor of this bandwidth: 1/(2π f), s."""
        return 1 / (2 * np.pi * self.bandwidth)


def frequency_response(tones: Tones, drives: Sequence[Drive]) -> Response | None:
    """Return the response; None with fewer than five uniform tones.

    3 dB down: 1/|H|² is a straight line in f² for a first order; a parabola through the three tones around 2 stands
    for it, and the interval is as wide as the parabola and the line differ. Group delay: -dφ/dω of a first order of
    that bandwidth and an odd polynomial in f through what is left of the phases below 200 Hz, weighted by their errors;
    the interval is as wide as the polynomial and one of a term less differ anywhere.
    """
    rows = np.array([k for k, drive in enumerate(drives) if drive.kind == "uniform"], dtype=np.int64)
    if len(rows) < FEWEST:
        return None
    rows = rows[np.argsort(tones.frequency[rows])]
    frequency = tones.frequency[rows]
    strength = np.array([np.linalg.norm(drives[k].vector) for k in rows.tolist()])
    phase = np.array([drives[k].phase for k in rows.tolist()])
    seen = tones.amplitude[rows] * np.exp(-1j * phase)[:, None] / strength[:, None]
    error = tones.error[rows] / strength[:, None]
    sign = np.where(seen[0].real < 0, -1.0, 1.0)
    size = np.abs(seen[0])
    factor = seen * sign / size
    relative = error / np.abs(seen)
    channels = range(factor.shape[1])
    bands = np.array([_band(frequency, factor[:, c], relative[:, c]) for c in channels])
    delays = np.array([_delay(frequency, factor[:, c], relative[:, c], float(bands[c, 0])) for c in channels])
    return Response(frequency, factor, bands[:, 0], bands[:, 1], delays[:, 0].T, delays[:, 1].T)


def _band(
    frequency: NDArray[np.float64], factor: NDArray[np.complex128], relative: NDArray[np.float64]
) -> tuple[float, float]:
    """Return where one channel is 3 dB down, and the standard error: Hz."""
    if not np.isfinite(factor).all() or np.median(relative) > 0.1:
        return float("nan"), float("nan")
    inverse = 1 / np.abs(factor) ** 2
    above = np.flatnonzero(inverse >= 2)
    if not len(above):
        return float("inf"), float("nan")
    k = int(above[0])
    squared = frequency**2
    slope = (inverse[k] - inverse[k - 1]) / (squared[k] - squared[k - 1])
    straight = float(np.sqrt(squared[k - 1] + (2 - inverse[k - 1]) / slope))
    found = straight
    if k >= 2:  # the third tone below: above it less of the tone is left
        three = slice(k - 2, k + 1)
        bent = float(np.polyval(np.polyfit(inverse[three] - 2, squared[three], 2), 0.0))
        found = float(np.sqrt(bent)) if squared[k - 1] <= bent <= squared[k] else straight
    spread = 2 * inverse[k - 1 : k + 1] * np.hypot(relative[k - 1 : k + 1], relative[0])
    noise = float(np.sqrt(np.mean(spread**2)) / slope / (2 * found))
    return found, float(np.hypot(noise, (found - straight) / Z95))


def _delay(
    frequency: NDArray[np.float64], factor: NDArray[np.complex128], relative: NDArray[np.float64], band: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return group delay and standard error at `DELAYS` of one channel: s."""
    nothing = np.full(len(DELAYS), np.nan)
    use = (relative < 0.1) & (frequency <= REACH)
    if use.sum() < FEWEST or not np.isfinite(factor).all():
        return nothing, nothing
    f, phase = frequency[use], np.unwrap(np.angle(factor[use]))
    phase = phase - 2 * np.pi * np.rint(phase[0] / (2 * np.pi))
    known = band if np.isfinite(band) else np.inf
    phase = phase + np.arctan(f / known)
    weight = 1 / np.maximum(relative[use], 1e-6)
    at = np.array(DELAYS)
    most = min(4, int(use.sum()) - 2)
    delay, error = _slope(f, phase, weight, at, most)
    lower, _ = _slope(f, phase, weight, at, most - 1)
    first_order = 1 / (2 * np.pi * known * (1 + (at / known) ** 2))
    inside = at <= f[-1]
    error = np.hypot(error, np.abs(delay - lower).max())
    return np.where(inside, delay + first_order, np.nan), np.where(inside, error, np.nan)


def _slope(
    f: NDArray[np.float64], phase: NDArray[np.float64], weight: NDArray[np.float64], at: NDArray[np.float64], terms: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return -dφ/dω of an odd polynomial (the phase of a real filter is an odd function of frequency), and its error.

    The error is widened where the polynomial does not follow the phases.
    """
    top = f[-1]
    orders = np.arange(1, 2 * terms, 2)
    model = (f[:, None] / top) ** orders
    inverse = np.linalg.pinv(model * weight[:, None])
    fit = inverse @ (phase * weight)
    slope = -(orders * (at[:, None] / top) ** (orders - 1)) / (2 * np.pi * top)
    rest = (phase - model @ fit) * weight
    wide = max(1.0, float(rest @ rest) / max(len(f) - len(orders), 1))
    delay: NDArray[np.float64] = slope @ fit
    return delay, np.sqrt(wide * np.sum((slope @ inverse) ** 2, axis=1))
