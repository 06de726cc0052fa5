"""How fast the channels follow: bandwidth, rise time and delay, from a uniform field swept over frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.measured import widened
from zeromag.characterise.tones import Tones
from zeromag.physics.coils import Drive

DELAYS = (10.0, 40.0, 100.0)  # Hz, where the group delay is told
FEWEST = 5
TERMS = 3  # of each polynomial: what bends a first order within its band
STEP = 0.1  # Hz, for the slope of a phase
REACH = 2 * DELAYS[-1]  # Hz, tones above it and above the bandwidth tell nothing of what is told
NOISY = 0.1  # of a tone's size: its phase tells nothing any more

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What each channel makes of a field that all see alike, relative to what it makes of a static one."""

    frequency: F64  # (n_tones,) Hz
    factor: NDArray[np.complex128]  # (n_tones, n_channels) reading over its static size
    bandwidth: F64  # (n_channels,) Hz, 3 dB down; inf: not down at the highest tone
    bandwidth_error: F64  # (n_channels,) Hz
    delay: F64  # (len(DELAYS), n_channels) s, group delay
    delay_error: F64  # (len(DELAYS), n_channels) s
    shape: tuple[_Shape | None, ...]  # of each channel; None: not known

    @property
    def rise(self) -> F64:
        """Return the time from 10 to 90 % of a step, as a first-order sensor of this bandwidth has: 0.35/f, s."""
        return 0.35 / self.bandwidth

    def at(self, frequency: F64) -> NDArray[np.complex128]:
        """Return the factor at any frequencies: (n_frequencies, n_channels); 1 where a channel's is not known."""
        whole = np.ones((len(frequency), len(self.shape)), dtype=np.complex128)
        for c, shape in enumerate(self.shape):
            if shape is not None:
                whole[:, c] = shape.at(frequency)
        return whole


def frequency_response(tones: Tones, drives: Sequence[Drive]) -> Response | None:
    """Return the response; None with fewer than five uniform tones.

    A first order, times polynomials for what is left of it, log size even and phase odd in frequency as those of
    any real filter are; all at once by Levenberg-Marquardt, weighted by the tones' errors. Where that leaves more
    over than noise would, the intervals are as much wider.
    """
    rows = np.array([k for k, drive in enumerate(drives) if drive.kind == "uniform"], dtype=np.int64)
    if len(rows) < FEWEST:
        return None
    rows = rows[np.argsort(tones.frequency[rows])]
    frequency = tones.frequency[rows]
    strength = np.array([np.linalg.norm(drives[k].vector) for k in rows.tolist()])
    phase = np.array([drives[k].phase for k in rows.tolist()])
    seen = tones.amplitude[rows] * np.exp(-1j * phase)[:, None] / strength[:, None]
    seen = seen * np.where(seen[0].real < 0, -1.0, 1.0)
    relative = tones.error[rows] / strength[:, None] / np.abs(seen)
    shapes = tuple(_shape(frequency, seen[:, c], relative[:, c]) for c in range(seen.shape[1]))
    size = np.array([abs(seen[0, c]) if shape is None else shape.size for c, shape in enumerate(shapes)])
    bands = np.array([(np.nan, np.nan) if shape is None else shape.bandwidth() for shape in shapes])
    delays = np.array([np.full((2, len(DELAYS)), np.nan) if shape is None else shape.delays() for shape in shapes])
    return Response(frequency, seen / size, bands[:, 0], bands[:, 1], delays[:, 0].T, delays[:, 1].T, shapes)


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """One channel: a first order, and polynomials for what is left of it; what it gives is linear about that."""

    theta: F64  # log of the corner (Hz), of the static size, (TERMS - 1,) bent sizes, (TERMS,) bent phases
    covariance: F64
    between: tuple[float, float]  # Hz, the tones that the bandwidth lies between; infinite: not seen
    top: float  # Hz, up to which the polynomials hold

    @property
    def size(self) -> float:
        """Return the reading over a static field."""
        return float(np.exp(self.theta[1]))

    def at(self, frequency: F64) -> NDArray[np.complex128]:
        """Return the factor at frequencies (n,) Hz."""
        return np.asarray(np.exp(_log_response(self.theta, frequency, self.top) - self.theta[1]))

    def bandwidth(self) -> tuple[float, float]:
        """Return where it is 3 dB down, and the standard error: Hz."""
        low, high = self.between
        if not np.isfinite(high):
            return float("inf"), float("nan")

        def found(theta: F64) -> F64:
            f = np.linspace(0.95 * low, 1.05 * high, 400)
            down = theta[1] - _log_response(theta, f, self.top).real - 0.5 * np.log(2)
            return np.array([np.interp(0.0, down, f)])

        value, error = self._told(found)
        return float(value[0]), float(error[0])

    def delays(self) -> tuple[F64, F64]:
        """Return group delay and standard error at `DELAYS`, s; NaN above the tones."""
        at = np.array(DELAYS)

        def found(theta: F64) -> F64:
            later, sooner = (_log_response(theta, at + way, self.top).imag for way in (STEP, -STEP))
            return np.asarray((sooner - later) / (4 * np.pi * STEP))

        value, error = self._told(found)
        inside = at <= self.top
        return np.where(inside, value, np.nan), np.where(inside, error, np.nan)

    def _told(self, figure: Callable[[F64], F64]) -> tuple[F64, F64]:
        """Return a figure of the parameters, and its standard error by their covariance."""
        slopes = []
        for k, spread in enumerate(np.sqrt(np.diag(self.covariance))):
            way = np.zeros(len(self.theta))
            way[k] = max(0.1 * spread, 1e-9)
            slopes.append((figure(self.theta + way) - figure(self.theta - way)) / (2 * way[k]))
        turned = np.array(slopes).T
        return figure(self.theta), np.sqrt(np.einsum("fk,kl,fl->f", turned, self.covariance, turned))


def _log_response(theta: F64, frequency: F64, top: float) -> NDArray[np.complex128]:
    """Return the logarithm of reading over field at frequencies (n,) Hz: size real, phase imaginary."""
    terms = len(theta) // 2 - 1
    squared = (np.minimum(frequency, top) / top) ** 2
    powers = squared[:, None] ** np.arange(terms + 1)
    bent = powers[:, 1:] @ theta[2 : 2 + terms] + 1j * np.sqrt(squared) * (powers @ theta[2 + terms :])
    return np.asarray(theta[1] + bent - np.log(1 + 1j * frequency * np.exp(-theta[0])), dtype=np.complex128)


def _shape(frequency: F64, seen: NDArray[np.complex128], relative: F64) -> _Shape | None:
    """Return what one channel's tones show, None where they are lost in noise."""
    from scipy.optimize import least_squares

    if not np.isfinite(seen).all():
        return None
    corner, between, reach = _corner(frequency, np.abs(seen))
    use = (relative < NOISY) & (frequency <= reach)
    if use.sum() < FEWEST:
        return None
    f, top, weight = frequency[use], float(frequency[use][-1]), 1 / np.maximum(relative[use], 1e-6)
    terms = min(TERMS, len(f) - 2)  # twice as many numbers as tones, and something left over to judge by
    start = np.concatenate([[np.log(corner), np.log(np.abs(seen[0]))], np.zeros(2 * terms - 1)])

    def rest(theta: F64) -> F64:
        apart = np.log(seen[use]) - _log_response(theta, f, top)
        turn = np.unwrap(apart.imag)
        turn -= 2 * np.pi * np.rint(turn[0] / (2 * np.pi))
        return np.concatenate([apart.real * weight, turn * weight])

    fit = least_squares(rest, start, method="lm", xtol=1e-12, ftol=1e-12)
    inverse = np.linalg.pinv(np.asarray(fit.jac, dtype=np.float64))
    wide = widened(2 * float(fit.cost), 2 * len(f) - len(start))
    return _Shape(np.asarray(fit.x, dtype=np.float64), np.asarray(wide * inverse @ inverse.T), between, top)


def _corner(frequency: F64, size: F64) -> tuple[float, tuple[float, float], float]:
    """Return the bandwidth that two tones show, these two, and up to which tone to look: Hz."""
    inverse = (size[0] / size) ** 2
    below = np.flatnonzero(inverse >= 2)
    if not len(below):
        return 2 * float(frequency[-1]), (float("inf"), float("inf")), REACH
    k = int(below[0])
    share = (2 - inverse[k - 1]) / (inverse[k] - inverse[k - 1])
    squared = frequency[k - 1] ** 2 + share * (frequency[k] ** 2 - frequency[k - 1] ** 2)
    further = float(frequency[min(k + 1, len(frequency) - 1)])
    return float(np.sqrt(squared)), (float(frequency[k - 1]), float(frequency[k])), max(REACH, further)
